import Foundation

/// Steps of `steps.py`, played one after the other.
struct Steps {
    private var steps: [[String]] = []

    /// A step; numbers are given as text.
    mutating func add(_ words: String...) { append(words) }

    mutating func append(_ words: [String]) { steps.append(words) }

    /// What came of each. `apart` plays them in a network of their own, with nothing in it but loopback: what is loaded
    /// into the kernel there is gone with them.
    func play(apart: Bool) throws -> [String] {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "steps.py").path
        let input = try JSONEncoder().encode(steps)
        let output = try Lab.run(apart ? Steps.apart + ["python3", script] : ["python3", script], input: input)
        let results = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [Any] ?? []
        return results.map { $0 as? String ?? "" }
    }

    /// Starts a command in a network of its own, as root there.
    static let apart =
        ["unshare", Lab.isRoot ? "-n" : "-rn", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"]
}

/// A store with bans made by hand, and lists of them.
struct HandBans {
    let vigil: Vigil
    private static let store = "bans.db"

    init(_ lab: Lab) throws { vigil = try Vigil(lab) }

    func ban(_ address: String, for length: String = "1h") throws {
        try vigil.run("ban", [address, "--for", length, "--reason", "a test"], store: HandBans.store)
    }

    func unban(_ address: String) throws {
        try vigil.run("unban", [address, "--reason", "a test"], store: HandBans.store)
    }

    /// The path of a list that was just written.
    func list(_ format: String, _ arguments: String..., as name: String) throws -> String {
        let text = try vigil.run("blocklist", ["--format", format] + arguments, store: HandBans.store)
        try vigil.lab.write(text, to: name)
        return vigil.lab.path(name)
    }
}
