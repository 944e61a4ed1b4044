import Glibc

/// Where a secret stands. It is read anew for each use, so that a rotated one is taken without a restart, and never
/// stands in the configuration itself.
public enum Secret: Sendable, Equatable {
    /// The first line of a file.
    case file(String)
    /// An environment variable.
    case environment(String)

    /// The secret. Throws `SecretProblem` when there is none.
    public func read() throws(SecretProblem) -> String {
        switch self {
        case .environment(let name):
            guard let value = getenv(name), value.pointee != 0 else {
                throw SecretProblem(what: "environment variable \(name)", reason: "is not set")
            }
            return String(cString: value)
        case .file(let path):
            guard let file = fopen(path, "re") else {
                throw SecretProblem(what: path, reason: String(cString: strerror(errno)))
            }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 64 << 10)
            bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
            let line = bytes.prefix { $0 != 10 && $0 != 13 }
            guard !line.isEmpty else { throw SecretProblem(what: path, reason: "has no first line") }
            return String(decoding: line, as: UTF8.self)
        }
    }
}

/// A secret that cannot be read.
public struct SecretProblem: Error, CustomStringConvertible {
    let what, reason: String

    /// Which, why, and what to do; never the secret.
    public var description: String { "the secret cannot be read: \(what) \(reason)" }
}
