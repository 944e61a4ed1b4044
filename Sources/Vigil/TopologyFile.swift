import Foundation
import LocatedYAML
import VigilModel

/// Hosts that a file names: words that are addresses, or names for /etc/hosts.
enum TopologyFile {
    static func hosts(in text: String, kind: Topology.Kind, path: String) -> [String] {
        switch kind {
        case .pigsty, .patroni:
            guard let file = try? YAMLValue(text: text, file: path) else { return [] }
            return kind == .pigsty ? inventory(file) : patroni(file)
        case .haproxy: return lines(text).flatMap(haproxy)
        case .pgbouncer, .postgresql: return lines(text).flatMap(setting)
        case .hba: return lines(text).compactMap(replication)
        }
    }

    /// Why hosts cannot be found in a file; nil when it is sound.
    static func problem(of path: String, kind: Topology.Kind) -> String? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return "it is no text in UTF-8" }
        guard kind == .pigsty || kind == .patroni else { return nil }
        do {
            _ = try YAMLValue(text: text, file: path)
            return nil
        } catch { return "\(error)" }
    }

    private static func lines(_ text: String) -> [[String]] {
        // By bytes: most of such a file is comments, and it is read with each start.
        text.utf8.split { $0 == 10 || $0 == 13 }.compactMap { line in
            let words = line.prefix { $0 != UInt8(ascii: "#") }.split { $0 == 32 || (9...13).contains($0) }
            guard let first = words.first?.first, first != UInt8(ascii: ";") else { return nil }
            return words.map { String(Substring($0)) }
        }
    }

    /// `192.0.2.7:5432`, `[2001:db8::1]:5432`, `192.0.2.7/24`, `http://h:2379`: the host.
    static func host(_ word: some StringProtocol) -> String {
        var text = String(word)
        if let scheme = text.range(of: "://") { text = String(text[scheme.upperBound...]) }
        if text.hasPrefix("[") { return String(text.dropFirst().prefix { $0 != "]" }) }
        text = String(text.prefix { $0 != "/" })
        // More than one colon: an IPv6 address without a port.
        return text.filter { $0 == ":" }.count == 1 ? String(text.prefix { $0 != ":" }) : text
    }

    private static func hosts(_ list: String) -> [String] {
        list.split { ", '\"".contains($0) }.map(host)
    }

    // MARK: - YAML

    /// Pigsty's inventory: the keys of every `hosts`, and virtual addresses.
    private static func inventory(_ value: YAMLValue) -> [String] {
        walk(value) { key, value in
            if key == "hosts" { return ((try? value.entries()) ?? []).map { host($0.key) } }
            guard key.hasSuffix("vip_address") || key == "admin_ip" else { return [] }
            return (try? value.text()).map { [host($0)] } ?? []
        }
    }

    /// Patroni's configuration: who listens where, the DCS, and its lines for pg_hba.conf.
    private static func patroni(_ value: YAMLValue) -> [String] {
        let keys: Set = ["connect_address", "listen", "host", "hosts", "proxy_address"]
        return walk(value) { key, value in
            let texts = ((try? value.oneOrMore()) ?? []).compactMap { try? $0.text() }
            if key == "pg_hba" { return texts.flatMap { lines($0) }.compactMap(replication) }
            return keys.contains(key) ? texts.flatMap(hosts) : []
        }
    }

    private static func walk(_ value: YAMLValue, _ body: (String, YAMLValue) -> [String]) -> [String] {
        if value.isMapping {
            return ((try? value.entries()) ?? []).flatMap { body($0.key, $0.value) + walk($0.value, body) }
        }
        return ((try? value.list()) ?? []).flatMap { walk($0, body) }
    }

    // MARK: - Lines of words

    /// `server NAME ADDRESS:PORT … source ADDRESS`, `peer NAME ADDRESS:PORT`, `bind ADDRESS:PORT`.
    private static func haproxy(_ words: [String]) -> [String] {
        var found: [String] = []
        if ["server", "peer"].contains(words[0]), words.count > 2 { found.append(host(words[2])) }
        if words[0] == "bind", words.count > 1 { found += words[1].split(separator: ",").map(host) }
        if let source = words.firstIndex(of: "source"), source + 1 < words.count {
            found.append(host(words[source + 1]))
        }
        return found
    }

    /// `host=` of a connection string, in `[databases]` or primary_conninfo, and what is listened on.
    private static func setting(_ words: [String]) -> [String] {
        let line = words.joined(separator: " ")
        var found: [String] = []
        for part in line.split(whereSeparator: { " '\"".contains($0) }) where part.hasPrefix("host") {
            guard let value = part.split(separator: "=", maxSplits: 1).dropFirst().first,
                part.hasPrefix("host=") || part.hasPrefix("hostaddr=")
            else { continue }
            found += value.split(separator: ",").map(host)
        }
        if line.hasPrefix("listen_addr") {
            found += line.split { " ='\",".contains($0) }.dropFirst().map(host)
        }
        return found
    }

    /// The address of a line for replication, when it is a single one.
    private static func replication(_ words: [String]) -> String? {
        // A line that rejects names somebody to be kept out: the block list's own lines do.
        guard words.count >= 5, words[0].hasPrefix("host"), words[1].split(separator: ",").contains("replication"),
            !words[4...].prefix(2).contains("reject")
        else { return nil }
        if words[4] == "255.255.255.255" || IPAddress(words[3]) != nil && words[4].allSatisfy(\.isLetter) {
            return words[3]
        }
        // A name has no mask; a network names nobody.
        guard words[3].contains("/") else { return IPAddress(words[3]) == nil ? words[3] : nil }
        return CIDR(words[3]).flatMap { $0.isHost ? $0.address.description : nil }
    }
}
