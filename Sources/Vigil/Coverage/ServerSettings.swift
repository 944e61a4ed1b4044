import Foundation
import LocatedYAML

/// What one server is told to log.
public struct ServerSettings: Sendable {
    /// The folder or file that it was read from.
    public let place: String
    /// Major version, as far as a path or PG_VERSION tells.
    public let version: Int?
    /// Files that are there and cannot be read.
    public let unreadable: [String]
    /// Folders that its logs may be in; empty: it is the configuration that says the server is meant.
    let logFolders: [String]
    private let settings: [String: ServerSetting]

    init(
        place: String, version: Int?, settings: [String: ServerSetting], unreadable: [String] = [],
        logFolders: [String] = []
    ) {
        self.place = place
        self.version = version
        self.settings = settings
        self.unreadable = unreadable
        self.logFolders = logFolders
    }

    /// True when logs at one of the paths may be this server's: what another server is told to log says nothing.
    func isOf(_ paths: [String]) -> Bool {
        guard !logFolders.isEmpty else { return true }
        let folders = logFolders.map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path + "/" }
        return paths.contains { path in
            let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path + "/"
            return folders.contains { real.hasPrefix($0) || $0.hasPrefix(real) }
        }
    }

    /// A setting that is given; nil: the server's default holds.
    public subscript(name: String) -> ServerSetting? { settings[name] }

    /// True when nothing is known of it.
    var isEmpty: Bool { settings.isEmpty }
}

/// Finds the settings of the servers of this node, where Debian's packages, Pigsty and Patroni keep them, and those that
/// the configuration names.
struct SettingsFinder {
    private let root: String
    private var servers: [ServerSettings] = []
    private var seen: Set<String> = []
    private var patroni: [String] = []

    /// Looks below a root folder (`/` but for tests); `named` are files of the key `topology`.
    init(root: String = "", named: [(kind: Topology.Kind, path: String)] = []) {
        self.root = root
        patroni = named.filter { $0.kind == .patroni }.map(\.path) + NodeLayout.configurations.map { root + $0 }
        for (kind, path) in named where kind == .postgresql && !path.hasSuffix("postgresql.auto.conf") {
            read(configuration: path, data: nil, isNamed: true)
        }
        for path in patroni { readPatroni(path) }
        for folder in debianFolders() + [root + "/pg/data"] {
            read(configuration: folder + "/postgresql.conf", data: folder)
        }
    }

    /// The servers that were found; those of which nothing could be read have `unreadable` files.
    var found: [ServerSettings] { servers }

    private func debianFolders() -> [String] {
        let base = root + "/etc/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
        return versions.sorted().flatMap { version in
            ((try? FileManager.default.contentsOfDirectory(atPath: base + "/" + version)) ?? []).sorted()
                .map { "\(base)/\(version)/\($0)" }
        }
    }

    /// postgresql.conf, then postgresql.auto.conf of the data directory.
    private mutating func read(configuration path: String, data: String?, isNamed: Bool = false) {
        let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard access(path, F_OK) == 0, seen.insert(real).inserted else { return }
        var file = ConfigFile(root: root)
        file.read(path)
        let folder =
            file.settings["data_directory"].map { root + $0.value } ?? data
            ?? URL(fileURLWithPath: path).deletingLastPathComponent().path
        file.read(folder + "/postgresql.auto.conf")
        servers.append(
            ServerSettings(
                place: String(path.dropFirst(root.count)), version: version(folder, path), settings: file.settings,
                unreadable: file.unreadable.map { String($0.dropFirst(root.count)) },
                logFolders: isNamed ? [] : logFolders(file.settings["log_directory"]?.value, data: folder)))
    }

    /// Where the server's own collector writes, and where Debian's packages let it write without one.
    private func logFolders(_ setting: String?, data: String) -> [String] {
        let name = setting ?? "log"
        return [name.hasPrefix("/") ? root + name : data + "/" + name, root + "/var/log/postgresql"]
    }

    /// The files that Patroni writes say what holds; where they cannot be read, what Patroni was told to write.
    private mutating func readPatroni(_ path: String) {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8),
            let file = try? YAMLValue(text: text, file: path)
        else { return }
        let data = SettingsFinder.value(file, ["postgresql", "data_dir"]).flatMap { try? $0.text() }
        let own = SettingsFinder.value(file, ["postgresql", "config_dir"]).flatMap { try? $0.text() } ?? data
        let before = servers.count
        if let own { read(configuration: root + own + "/postgresql.conf", data: data.map { root + $0 }) }
        if servers.count > before, servers.last?.isEmpty == false { return }
        // A folder that others may not enter hides even that the file is there.
        var settings: [String: ServerSetting] = [:]
        for keys in [["bootstrap", "dcs", "postgresql", "parameters"], ["postgresql", "parameters"]] {
            for (name, value) in (try? SettingsFinder.value(file, keys)?.entries()) ?? [] {
                guard let text = try? value.text() else { continue }
                settings[name.lowercased()] = ServerSetting(
                    value: text, place: "\(path.dropFirst(root.count)):\(value.line)")
            }
        }
        guard !settings.isEmpty else { return }
        let hidden = servers.count > before ? servers.removeLast().unreadable : []
        if let own { seen.insert(root + own + "/postgresql.conf") }
        servers.append(
            ServerSettings(
                place: String(path.dropFirst(root.count)), version: data.flatMap { version(root + $0, $0) },
                settings: settings, unreadable: hidden,
                logFolders: logFolders(settings["log_directory"]?.value, data: root + (data ?? ""))))
    }

    static func value(_ file: YAMLValue, _ keys: [String]) -> YAMLValue? {
        keys.reduce(file as YAMLValue?) { value, key in
            (try? value?.entries())?.first { $0.key == key }?.value
        }
    }

    /// PG_VERSION of the data directory, else a number in the path (`/etc/postgresql/17/main`).
    private func version(_ data: String, _ path: String) -> Int? {
        if let text = try? String(contentsOfFile: data + "/PG_VERSION", encoding: .utf8) {
            return Int(text.prefix { $0.isNumber })
        }
        return path.split(separator: "/").compactMap { Int($0) }.first { (9...99).contains($0) }
    }
}
