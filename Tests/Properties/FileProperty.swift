import Foundation
import LocatedYAML
import Patterns
import Vigil

/// Whatever a file of patterns, of a rule, or of the configuration holds: it is taken, or refused with its place.
enum FileProperty {
    private static func texts(_ paths: [String]) -> [[UInt8]] {
        paths.compactMap { try? Array(Data(contentsOf: Property.root.appending(path: $0))) }
    }

    private static func folder(_ path: String) -> [String] {
        let names =
            (try? FileManager.default.contentsOfDirectory(atPath: Property.root.appending(path: path).path)) ?? []
        return names.filter { $0.hasSuffix(".yml") }.sorted().map { path + "/" + $0 }
    }

    /// A first byte that is even begins a file of patterns, another one a rule.
    static var patternSeeds: [[UInt8]] {
        texts(folder("patterns/events")).map { [0] + $0.prefix(6000) }
            + texts(folder("patterns/rules")).map { [1] + $0 }
    }

    static let configurationSeeds: [[UInt8]] = [
        """
        store: /var/lib/pgvigil/pgvigil.db
        sources:
          - {path: /pg/log, format: csvlog, cluster: pg, instance: pg-1, timezone: Europe/Berlin}
          - {path: /x.log, prefix: '%m [%p] %q%u@%d '}
        allow: [192.0.2.0/24, {cidr: 2001:db8::/32, reason: office}]
        bans: {mode: observe, private: true, loopback: false}
        rules: {auth-bruteforce: {threshold: 5, window: 10m, severity: high, enabled: true}}
        """,
        """
        exceptions: [{rule: family:auth, cidr: 203.0.113.99, user: bob, reason: scanner, until: 2027-01-01}]
        blocklists: [{format: nft, path: /run/pgvigil/list.nft, reload: [systemctl, reload, nftables]}]
        listen: 127.0.0.1:9187
        sets: {superusers: [dba]}
        sinks: [{alertmanager: http://127.0.0.1:9093}, {file: /var/log/events.jsonl}]
        topology: {detect: false}
        """,
    ].map { Array($0.utf8) }

    private static let base = folder("patterns/messages").compactMap { path -> (name: String, text: String)? in
        guard let text = try? String(contentsOf: Property.root.appending(path: path), encoding: .utf8) else {
            return nil
        }
        return (String(path.dropFirst("patterns/".count)), text)
    }

    static func problem(withPatterns input: [UInt8]) -> String? {
        guard let first = input.first else { return nil }
        let text = String(decoding: input.dropFirst(), as: UTF8.self)
        let name = first % 2 == 0 ? "events/fuzz.yml" : "rules/fuzz.yml"
        return refusal { _ = try Catalogue(files: base + [(name, text)]) }
    }

    static func problem(withConfiguration input: [UInt8]) -> String? {
        let text = String(decoding: input, as: UTF8.self)
        return refusal { _ = try Configuration(YAMLValue(text: text, file: "fuzz.yml")) }
    }

    /// What is wrong with how a file is refused.
    private static func refusal(_ read: () throws -> Void) -> String? {
        do { try read() } catch {
            let words = "\(error)"
            if words.isEmpty || words.count > 4000 { return "refused with \(words.count) characters" }
        }
        return nil
    }
}
