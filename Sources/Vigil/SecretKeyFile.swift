import Foundation
import VigilModel

/// The file with the key that fingerprints of secrets are made with.
enum SecretKeyFile {
    /// Its bytes but for a line break at the end. Throws what is wrong with it.
    static func read(_ path: String) throws -> SecretKey {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw SecretKeyProblem(
                path: path, reason: "the key file cannot be read", hint: "check the name and its mode")
        }
        var bytes = Array(data)
        while let last = bytes.last, last == 10 || last == 13 { bytes.removeLast() }
        guard let key = SecretKey(bytes) else {
            throw SecretKeyProblem(
                path: path, reason: "the key has fewer than \(SecretKey.shortest) bytes",
                hint: "make one: head -c 32 /dev/urandom | base64 > \(path); chmod 600 \(path)")
        }
        return key
    }
}

/// The key for fingerprints of secrets is of no use.
public struct SecretKeyProblem: Error, CustomStringConvertible {
    let path: String
    let reason: String
    let hint: String

    /// The file and what to do.
    public var description: String { "secrets: key_file: \(path): \(reason)\n  hint: \(hint)" }
}
