import Foundation

/// A setting, and where it stands.
public struct ServerSetting: Sendable, Hashable {
    /// Its value, without quotes.
    public let value: String
    /// File and line.
    public let place: String
}

/// Reads postgresql.conf and what it includes (PostgreSQL manual, 19.1.2 and 19.1.5); what comes later wins.
struct ConfigFile {
    private(set) var settings: [String: ServerSetting] = [:]
    /// Files that are there and cannot be read.
    private(set) var unreadable: [String] = []
    /// Below this folder everything is looked for (empty but for tests).
    private let root: String

    /// The server's own limit of files that include each other.
    private static let depthLimit = 10

    init(root: String = "") { self.root = root }

    /// Reads a file; false when it is not there, or cannot be read.
    @discardableResult
    mutating func read(_ path: String, depth: Int = 0) -> Bool {
        guard depth < ConfigFile.depthLimit, access(path, F_OK) == 0 else { return false }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            unreadable.append(path)
            return false
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(omittingEmptySubsequences: false) { $0.isNewline }
        for (number, line) in lines.enumerated() {
            guard let (name, value) = ConfigFile.setting(line) else { continue }
            switch name {
            case "include", "include_if_exists": read(resolved(value, beside: path), depth: depth + 1)
            case "include_dir": readFolder(resolved(value, beside: path), depth: depth + 1)
            default: settings[name] = ServerSetting(value: value, place: "\(path.dropFirst(root.count)):\(number + 1)")
            }
        }
        return true
    }

    private mutating func readFolder(_ path: String, depth: Int) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        for name in names.sorted() where name.hasSuffix(".conf") && !name.hasPrefix(".") {
            read(path + "/" + name, depth: depth)
        }
    }

    private func resolved(_ name: String, beside path: String) -> String {
        name.hasPrefix("/")
            ? root + name : String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)) + "/" + name
    }

    /// `name = 'value'  # comment`; the equals sign may be missing.
    static func setting(_ line: Substring) -> (name: String, value: String)? {
        var rest = line.drop(while: \.isWhitespace)
        let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
        guard !name.isEmpty else { return nil }
        rest = rest.dropFirst(name.count).drop(while: \.isWhitespace)
        if rest.first == "=" { rest = rest.dropFirst().drop(while: \.isWhitespace) }
        guard rest.first == "'" else {
            let value = rest.prefix { !$0.isWhitespace && $0 != "#" }
            return value.isEmpty ? nil : (name.lowercased(), String(value))
        }
        var value = ""
        rest = rest.dropFirst()
        while let character = rest.popFirst() {
            if character == "'" {
                guard rest.first == "'" else { break }
                rest = rest.dropFirst()
            } else if character == "\\", let next = rest.popFirst() {
                value.append(next)
                continue
            }
            value.append(character)
        }
        return (name.lowercased(), value)
    }
}
