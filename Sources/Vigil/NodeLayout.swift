import Foundation
import LocatedYAML

/// What a database node tells of itself: where its logs are, and which cluster and instance it is.
///
/// Patroni's configuration names both (`scope` and `name`); Pigsty keeps it at /etc/patroni/patroni.yml and all logs
/// below /pg/log. Other packages have their own folders for logs.
public struct NodeLayout: Sendable {
    /// Folders of this node that hold logs, those that are there.
    public let folders: [String]
    /// `scope` of Patroni's configuration.
    public let cluster: String?
    /// `name` of Patroni's configuration.
    public let instance: String?
    /// The host of `postgresql.connect_address` there.
    public let address: String?

    private static let usual = [
        "/pg/log/postgres", "/pg/log/pgbouncer", "/pg/log/patroni", "/pg/log/pgbackrest", "/var/log/postgresql",
        "/var/log/pgbouncer", "/var/log/patroni", "/var/log/pgbackrest",
    ]
    static let configurations = [
        "/etc/patroni/patroni.yml", "/etc/patroni/config.yml", "/etc/patroni.yml", "/pg/bin/patroni.yml",
    ]

    /// Looks below a root folder (`/` but for tests).
    public init(root: String = "") {
        var folders = NodeLayout.usual.map { root + $0 }
        let file = NodeLayout.configurations.lazy.compactMap { Patroni(path: root + $0) }.first
        cluster = file?.scope
        instance = file?.name
        address = file?.address
        for named in [file?.logFolder, file?.serverLogFolder].compactMap({ $0 }) where !folders.contains(root + named) {
            folders.append(root + named)
        }
        self.folders = folders.filter { path in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
        }
    }

    /// The address of this node's instance, by the instance's name.
    public var addresses: [String: String] {
        guard let instance, let address else { return [:] }
        return [instance: address]
    }

    /// Cluster and instance of a log of this node; nil for a file from elsewhere.
    func identity(of path: String) -> (cluster: String?, instance: String?)? {
        let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let isOwn = folders.contains { folder in
            let resolved = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
            return path.hasPrefix(folder + "/") || real.hasPrefix(resolved + "/")
        }
        return isOwn ? (cluster, instance) : nil
    }

    /// The few keys that matter of Patroni's configuration (Patroni manual, "YAML Configuration Settings"). A file that
    /// cannot be read, or is no YAML, says nothing: it is somebody else's.
    private struct Patroni {
        var scope, name, address, logFolder, serverLogFolder: String?

        init?(path: String) {
            guard let text = try? String(contentsOfFile: path, encoding: .utf8),
                let file = try? YAMLValue(text: text, file: path)
            else { return nil }
            func read(_ keys: String...) -> String? {
                var value: YAMLValue? = file
                for key in keys { value = (try? value?.entries())?.first { $0.key == key }?.value }
                return try? value?.text()
            }
            scope = read("scope")
            name = read("name")
            // HOST:PORT; an IPv6 host stands in brackets.
            address = read("postgresql", "connect_address").flatMap { text in
                text.lastIndex(of: ":").map { text[..<$0].filter { !"[]".contains($0) } }
            }
            logFolder = read("log", "dir")
            serverLogFolder = read("postgresql", "parameters", "log_directory").flatMap { $0.hasPrefix("/") ? $0 : nil }
        }
    }
}
