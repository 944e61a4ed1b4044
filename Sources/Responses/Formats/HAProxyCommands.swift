import VigilModel

/// Commands for HAProxy's socket (management guide, "Unix Socket commands") that put a new version of an ACL in the
/// place of the old one at once. `prompt` keeps the connection open from one command to the next.
///
/// HAProxy numbers versions itself, and a command for another number than the one that `prepare acl` gave is refused: a
/// file of commands fits one state of HAProxy only.
enum HAProxyCommands {
    static func render(_ bans: [Ban], _ options: BlockListOptions) -> String {
        let (file, version) = (options.aclFile, "@\(options.aclVersion)")
        let entries = bans.map { "add acl \(version) \(file) \($0.cidr)\n" }.joined()
        return "prompt\nprepare acl \(file)\n\(entries)commit acl \(version) \(file)\nquit\n"
    }
}
