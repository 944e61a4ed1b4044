/// The parentheses that are open, and which of their arguments are secrets.
///
/// Source: manual "pgcrypto", "Configuration Settings Functions" (`set_config`), CREATE USER MAPPING.
struct SQLCallStack {
    private enum Call {
        case other, options, setConfig, salt
        /// All arguments.
        case all
        /// The first two arguments: a password and a salt or hash.
        case crypt
        /// The second argument: a key.
        case second
        /// The second and third argument: a key and its password.
        case privateKey
    }

    private struct Frame {
        var call: Call
        var argument = 0
        /// The parentheses stand in an argument that is a secret itself.
        var isInSecret: Bool
        /// The first argument of `set_config` names a secret.
        var namesSecret = false

        var isSecretArgument: Bool {
            switch call {
            case .all: true
            case .crypt: argument < 2
            case .second: argument == 1
            case .privateKey: argument == 1 || argument == 2
            case .setConfig: argument == 1 && namesSecret
            default: isInSecret
            }
        }
    }

    private var frames: [Frame] = []

    /// Whether a constant here is a secret because of the call it is an argument of.
    var isSecretArgument: Bool { frames.last?.isSecretArgument ?? false }

    var isEmpty: Bool { frames.isEmpty }

    var isInOptions: Bool { frames.last?.call == .options }

    var expectsSettingName: Bool {
        guard let frame = frames.last else { return false }
        return frame.call == .setConfig && frame.argument == 0
    }

    /// Takes the name before the parenthesis, if one is there.
    mutating func open(behind name: Range<Int>?, in text: [UInt8], isSecret: Bool) {
        let call = name.map { Self.call(text, $0) } ?? .other
        let isInSecret = (isSecret || isSecretArgument) && call != .salt
        frames.append(Frame(call: call, isInSecret: isInSecret))
    }

    mutating func close() {
        _ = frames.popLast()
    }

    mutating func nextArgument() {
        guard !frames.isEmpty else { return }
        frames[frames.count - 1].argument += 1
    }

    mutating func noteSecretSettingName() {
        guard !frames.isEmpty else { return }
        frames[frames.count - 1].namesSecret = true
    }

    mutating func removeAll() {
        frames.removeAll(keepingCapacity: true)
    }

    private static let calls: [(name: String, call: Call)] = [
        ("OPTIONS", .options), ("SET_CONFIG", .setConfig), ("GEN_SALT", .salt), ("PASSWORD", .all), ("CRYPT", .crypt),
        ("PGP_SYM_ENCRYPT", .second), ("PGP_SYM_ENCRYPT_BYTEA", .second), ("PGP_SYM_DECRYPT", .second),
        ("PGP_SYM_DECRYPT_BYTEA", .second), ("ENCRYPT", .second), ("DECRYPT", .second), ("ENCRYPT_IV", .second),
        ("DECRYPT_IV", .second), ("HMAC", .second), ("PGP_PUB_DECRYPT", .privateKey),
        ("PGP_PUB_DECRYPT_BYTEA", .privateKey),
    ]

    private static func call(_ text: [UInt8], _ name: Range<Int>) -> Call {
        for (known, call) in calls where SQLBytes.matches(text, name, known) { return call }
        return .other
    }
}
