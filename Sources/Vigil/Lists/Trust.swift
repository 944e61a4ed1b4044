import Foundation

/// Whether a file may tell root what to do: whoever can change it could.
public enum Trust {
    /// A file that others than those trusted can change.
    public struct Problem: Error, CustomStringConvertible {
        /// The file, who can change it, and what to do.
        public let description: String
    }

    /// Looks at a file and all folders above it. The owner must be root, who runs this, `pgvigil`, or one of `users`;
    /// nobody else may write. PostgreSQL's own user is none of these: whoever runs COPY FROM PROGRAM is he.
    public static func check(_ path: String, users: [String]) throws {
        let allowed = Set(
            [0, geteuid()] + (["pgvigil"] + users).compactMap { name in getpwnam(name).map { $0.pointee.pw_uid } })
        let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        var places = [URL(fileURLWithPath: real)]
        while let last = places.last, last.path != "/" { places.append(last.deletingLastPathComponent()) }
        for (height, place) in places.map(\.path).enumerated() {
            var status = stat()
            guard stat(place, &status) == 0 else {
                throw Problem(description: "\(place): \(String(cString: strerror(errno)))")
            }
            guard allowed.contains(status.st_uid) else {
                let owner =
                    getpwuid(status.st_uid).map { String(cString: $0.pointee.pw_name) } ?? "uid \(status.st_uid)"
                throw Problem(
                    description:
                        "\(place) belongs to \(owner), who could have anybody banned\n  hint: let `watch` run as "
                        + "the user pgvigil, or give --trust \(owner)")
            }
            // A sticky folder such as /tmp lets nobody replace a folder of others, but put a file beside it: SQLite would
            // take what stands beside a store for its log.
            let isSticky = height > 1 && status.st_mode & S_IFMT == S_IFDIR && status.st_mode & 0o1000 != 0
            guard status.st_mode & 0o022 == 0 || isSticky else {
                throw Problem(description: "\(place) can be written by others\n  hint: chmod go-w \(place)")
            }
        }
    }
}
