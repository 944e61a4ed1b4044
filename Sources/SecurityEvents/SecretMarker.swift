import VigilModel

/// Says where in the log a secret stood that an event's text was without, and gives it a fingerprint.
final class SecretMarker {
    /// Where a secret stands in clear text: `secret.in_…` among the event's tags.
    enum Place: String {
        /// The text of a statement that the server logged.
        case statement
        /// The query column of an ERROR.
        case error
        /// A record of pgaudit's.
        case audit
        /// The values of a statement's parameters.
        case parameters
        /// A message of the server's own, or the statement that it quotes.
        case message
    }

    private let key: SecretKey?
    private let variants: KindVariants

    init(_ key: SecretKey?, _ variants: KindVariants) {
        self.key = key
        self.variants = variants
    }

    /// Marks the event of a statement that holds a secret, as its tags say.
    func mark(_ event: inout SecurityEvent, _ text: ArraySlice<UInt8>, _ place: Place) {
        let tags = event.kind.tags
        let isParameter = tags.contains("secret.parameter")
        guard isParameter || tags.contains("secret.password") || tags.contains("secret.hash") else { return }
        if isParameter { event.kind = variants.tagged(event.kind, SecretMarker.tag(.parameters)) }
        guard !isParameter || tags.contains("secret.password") || tags.contains("secret.hash") else { return }
        event.kind = variants.tagged(event.kind, SecretMarker.tag(place))
        guard let key else { return }
        event.secretFingerprint = SQLReader.secrets(in: Array(text)).first.map(key.fingerprint)
    }

    /// Marks an event whose message, or the statement that this quotes, is without its secrets.
    func mark(message event: inout SecurityEvent, _ record: LogRecord) {
        guard event.kind.category != "authentication",
            SecretMarker.isRedacted(event.message) || SecretMarker.isRedacted(event.query)
        else { return }
        event.kind = variants.tagged(event.kind, "secret.password")
        event.kind = variants.tagged(event.kind, SecretMarker.tag(.message))
        guard let key else { return }
        let secret =
            SQLReader.secrets(inMessage: record.content(.message)).first
            ?? SQLReader.secrets(inMessage: record.content(.detail)).first
            ?? SQLReader.secrets(in: SecretMarker.quoted(record.content(.detail))).first
        event.secretFingerprint = secret.map(key.fingerprint)
    }

    /// The tag for a further record of a statement, when it holds a secret.
    func tags(of text: [UInt8], _ place: Place) -> [String] {
        SQLReader.secrets(in: text).isEmpty ? [] : [SecretMarker.tag(place)]
    }

    private static func tag(_ place: Place) -> String { "secret.in_" + place.rawValue }

    private static func isRedacted(_ text: String?) -> Bool {
        guard let text, text.utf8.count >= SQLRedactor.mark.count else { return false }
        return text.contains(String(decoding: SQLRedactor.mark, as: UTF8.self))
    }

    /// `Failed process was running: …` in any language.
    private static func quoted(_ detail: [UInt8]) -> [UInt8] {
        guard let colon = detail.firstIndex(of: SQLBytes.colon) else { return [] }
        return Array(detail[(colon + 1)...])
    }
}
