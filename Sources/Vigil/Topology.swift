import Foundation
import LocatedYAML
import Responses
import VigilModel

/// Which addresses are the fleet's own, as the files of this node tell: Patroni's configuration, pgbouncer.ini,
/// HAProxy's configuration, postgresql.conf, pg_hba.conf, an inventory of Pigsty's, and the interfaces. Single addresses
/// only: a network in pg_hba.conf says who may come, not who is one of us. Names are looked up in /etc/hosts.
public struct Topology: Sendable {
    /// Files to read beside those that are found, by kind.
    public var files: [(kind: Kind, path: String)] = []
    /// Whether the usual places of this node are looked at, and its interfaces.
    public var detects = true
    /// Users who monitor: an address that logged in as one of them is never banned.
    public var monitors = ["dbuser_monitor"]

    /// What a file is.
    public enum Kind: String, CaseIterable, Sendable {
        case pigsty, patroni, pgbouncer, haproxy, postgresql, hba
    }

    /// The defaults.
    public init() {}

    /// Reads the key `topology`.
    init(_ value: YAMLValue) throws(YAMLProblem) {
        let keys = try value.mapping(["detect", "monitors"] + Kind.allCases.map(\.rawValue))
        if let detect = keys["detect"] { detects = try detect.boolean() }
        if let users = keys["monitors"] {
            monitors = []
            for user in try users.oneOrMore() { monitors.append(try user.text()) }
        }
        for kind in Kind.allCases {
            guard let paths = keys[kind.rawValue] else { continue }
            for path in try paths.oneOrMore() {
                let name = try path.text()
                // A file that protects somebody must not be missing in silence.
                guard access(name, R_OK) == 0 else {
                    throw path.problem("this file cannot be read", hint: "check the name and its mode")
                }
                if let problem = TopologyFile.problem(of: name, kind: kind) {
                    throw path.problem("this file cannot be read: \(problem)", hint: "mend it, or leave it out")
                }
                files.append((kind, name))
            }
        }
    }

    /// The addresses, each once, in order. Looks below a root folder (`/` but for tests).
    public func entries(root: String = "") -> [AllowEntry] {
        let names = HostNames(path: root + "/etc/hosts")
        var found: [IPAddress: String] = [:]
        if detects {
            for entry in OwnAddresses.entries() { found[entry.cidr.address] = entry.reason }
        }
        for (kind, path) in files + (detects ? Topology.usual(root) : []) {
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { continue }
            for word in TopologyFile.hosts(in: text, kind: kind, path: path) {
                for address in names.addresses(of: word) where !address.isUnroutable && !address.isLoopback {
                    if found[address] == nil { found[address] = "named in \(path.dropFirst(root.utf8.count))" }
                }
            }
        }
        return found.sorted { $0.key < $1.key }.map {
            AllowEntry(cidr: CIDR($0.key, prefix: $0.key.bitWidth), reason: $0.value)
        }
    }

    /// What is there of what Debian's packages and Pigsty use.
    private static func usual(_ root: String) -> [(Kind, String)] {
        let patroni = NodeLayout.configurations.map { root + $0 }.filter { access($0, R_OK) == 0 }
        let data = ["/pg/data", "/data/postgres"] + folders(root, "/etc/postgresql", depth: 2)
        var files = patroni.map { (Kind.patroni, $0) }
        files.append((.pgbouncer, root + "/etc/pgbouncer/pgbouncer.ini"))
        for folder in ["/etc/haproxy", "/etc/haproxy/conf.d"] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: root + folder)) ?? []
            files += names.filter { $0.hasSuffix(".cfg") }.sorted().map { (.haproxy, root + folder + "/" + $0) }
        }
        for folder in data {
            files += ["postgresql.conf", "postgresql.auto.conf"].map { (.postgresql, root + folder + "/" + $0) }
            files.append((.hba, root + folder + "/pg_hba.conf"))
        }
        return files
    }

    private static func folders(_ root: String, _ path: String, depth: Int) -> [String] {
        guard depth > 0 else { return [path] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root + path)) ?? []
        return names.sorted().flatMap { folders(root, path + "/" + $0, depth: depth - 1) }
    }
}

/// Names and their addresses (hosts(5)).
private struct HostNames {
    private var known: [String: [IPAddress]] = [:]

    init(path: String) {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard let first = words.first, let address = IPAddress(String(first)) else { continue }
            for name in words.dropFirst() { known[name.lowercased(), default: []].append(address) }
        }
    }

    func addresses(of word: String) -> [IPAddress] {
        if let address = IPAddress(word) { return [address] }
        return known[word.lowercased()] ?? []
    }
}
