import Foundation
import Testing

@testable import Vigil

@Suite("Node layout")
struct NodeLayoutTests {
    private let root = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)").path

    private func make(_ path: String, _ text: String? = nil) throws {
        let url = URL(fileURLWithPath: root + path)
        let folder = text == nil ? url : url.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try text?.write(to: url, atomically: true, encoding: .utf8)
    }

    @Test("a Pigsty node: cluster and instance by Patroni's configuration, logs below /pg/log")
    func pigsty() throws {
        try make("/etc/patroni/patroni.yml", "scope: pg-test\nname: pg-test-1\nlog:\n  dir: /pg/log/patroni\n")
        for name in ["postgres", "patroni", "pgbouncer"] { try make("/pg/log/\(name)") }
        let node = NodeLayout(root: root)
        #expect(node.folders == ["postgres", "pgbouncer", "patroni"].map { root + "/pg/log/" + $0 })
        #expect(node.cluster == "pg-test" && node.instance == "pg-test-1")
        let own = node.identity(of: root + "/pg/log/postgres/postgresql-Mon.csv")
        #expect(own?.cluster == "pg-test" && own?.instance == "pg-test-1")
        #expect(node.identity(of: "/archive/postgresql-Mon.csv") == nil)
    }

    @Test("folders that Patroni's configuration names are looked at too")
    func named() throws {
        try make(
            "/etc/patroni/config.yml",
            "scope: main\nname: db1\nlog: {dir: /srv/log/patroni}\npostgresql:\n  parameters: {log_directory: /srv/log/pg}\n"
        )
        try make("/srv/log/patroni")
        try make("/srv/log/pg")
        #expect(NodeLayout(root: root).folders == [root + "/srv/log/patroni", root + "/srv/log/pg"])
    }

    @Test("an empty machine, and a configuration that is no YAML, tell nothing", arguments: [nil, "a: [", "- x"])
    func nothing(text: String?) throws {
        try make("")
        if let text { try make("/etc/patroni/patroni.yml", text) }
        let node = NodeLayout(root: root)
        #expect(node.folders.isEmpty && node.cluster == nil && node.instance == nil)
    }
}
