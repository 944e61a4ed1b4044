import Foundation

/// HAProxy in TCP mode, with the log format of docs/proxy.md; one port each for two servers behind it.
struct Haproxy {
    /// The address it connects to servers from.
    static let address = "127.8.8.8"
    let postgres: Int
    let pooler: Int
    /// A port whose server is not there.
    let dead: Int
    /// Its log as it is, and with a header of syslog.
    let log: String
    let syslog: String

    /// The line of docs/proxy.md itself.
    static func format() throws -> String {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../docs/proxy.md")
        let text = try String(contentsOf: page.standardizedFileURL, encoding: .utf8)
        guard let line = text.split(separator: "\n").first(where: { $0.contains("log-format ") }) else {
            throw Lab.Problem(description: "docs/proxy.md names no log-format")
        }
        return line.trimmingCharacters(in: .whitespaces)
    }

    init(_ lab: Lab, ports: [Int], postgres server: Int, pooler poolerServer: Int, nobody: Int) throws {
        (postgres, pooler, dead) = (ports[0], ports[1], ports[2])
        log = lab.path("haproxy/haproxy.log")
        syslog = lab.path("haproxy/haproxy.syslog")
        try lab.makeFolder("haproxy")
        func listen(_ name: String, _ port: Int, _ server: Int) -> String {
            """
            listen \(name)
                bind 127.0.0.1:\(port)
                server \(name)-1 127.0.0.1:\(server) source \(Haproxy.address)

            """
        }
        let configuration =
            """
            global
                log stdout format raw local0
                log stderr format rfc5424 local0
            defaults
                mode tcp
                log global
                \(try Haproxy.format())
                retries 0
                timeout connect 20s
                timeout client 60s
                timeout server 60s

            """ + listen("pg-primary", postgres, server) + listen("pg-pooler", pooler, poolerServer)
            + listen("pg-dead", dead, nobody)
        try lab.write(configuration, to: "haproxy.cfg")
        _ = try lab.start(
            ["haproxy", "-db", "-f", lab.path("haproxy.cfg")], output: "haproxy/haproxy.log",
            errors: "haproxy/haproxy.syslog")
        try Lab.until("HAProxy listens: " + lab.read("haproxy/haproxy.syslog")) { Port.isOpen(ports[0]) }
    }
}
