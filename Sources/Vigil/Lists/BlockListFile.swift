import LocatedYAML
import Responses

/// A file that `watch` keeps current, and what is run when it has changed: an entry of `blocklists`.
public struct BlockListFile: Sendable, Equatable {
    /// The form.
    public var format: BlockListFormat
    /// The file.
    public var path: String
    /// A program and its arguments, run when the file has changed. Empty: none.
    public var reload: [String] = []
    /// The file of the ACL, for `haproxy_runtime`.
    public var aclFile: String?

    /// What tells it from others: several ACLs of HAProxy's share a socket.
    var name: String {
        format == .haproxyRuntime ? ([path] + [aclFile].compactMap { $0 }).joined(separator: " ") : path
    }

    /// One that was kept under a name; nothing else is known of it.
    init(format: BlockListFormat, name: String) {
        self.format = format
        let words = format == .haproxyRuntime ? name.split(separator: " ", maxSplits: 1).map(String.init) : [name]
        path = words.first ?? name
        aclFile = words.count > 1 ? words[1] : nil
    }

    init(_ value: YAMLValue) throws(YAMLProblem) {
        let keys = try value.mapping(["format", "path", "reload", "acl"], required: ["format", "path"])
        let place = keys["format"] ?? value
        format = try place.word(BlockListFormat.self)
        path = try keys["path"]?.text() ?? ""
        guard path.hasPrefix("/") else {
            throw (keys["path"] ?? value).problem("an absolute path belongs here", hint: "start it with /")
        }
        aclFile = try keys["acl"]?.text()
        guard let command = keys["reload"] else { return }
        for word in try command.oneOrMore() { reload.append(try word.text()) }
        if reload.count == 1 { reload = reload[0].split(separator: " ").map(String.init) }
        guard let program = reload.first, program.hasPrefix("/") else {
            throw command.problem(
                "a program belongs here, by its absolute path",
                hint: "write [/usr/bin/systemctl, reload, haproxy]; no shell reads it")
        }
    }
}
