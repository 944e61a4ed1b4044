import Glibc
import VigilModel

/// Why a source cannot be read, and what to do.
public struct SourceProblem: Error, CustomStringConvertible, Sendable {
    /// The path as the person named it.
    public let path: String
    /// What is wrong.
    public let reason: String
    /// What to do.
    public let hint: String?

    /// Takes the parts.
    public init(path: String, reason: String, hint: String? = nil) {
        self.path = path
        self.reason = reason
        self.hint = hint
    }

    /// The operating system's last error about a path.
    static func system(_ path: String, _ code: Int32 = errno) -> SourceProblem {
        let hint: String?
        switch code {
        case ENOENT: hint = "check the name; quote a pattern so that the shell leaves it alone"
        case EACCES: hint = "log files are usually 0640 postgres: add the user to that group, or set log_file_mode"
        default: hint = nil
        }
        return SourceProblem(path: path, reason: String(cString: strerror(code)), hint: hint)
    }

    /// All of it.
    public var description: String { "\(Shown.text(path)): \(reason)" + (hint.map { "\n  hint: \($0)" } ?? "") }
}
