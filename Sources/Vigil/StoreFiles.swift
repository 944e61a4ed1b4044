import Foundation

/// The files of the store that is open. None may be looked at as if it were a log: closing a second descriptor of a file
/// drops the locks that SQLite has on it in this process, and whoever closes the store next takes its write-ahead log away
/// (https://www.sqlite.org/howtocorrupt.html, 2.2).
struct StoreFiles {
    private let name: String
    private let folder: String

    init(_ store: String) {
        let place = URL(fileURLWithPath: store).resolvingSymlinksInPath()
        name = place.lastPathComponent
        folder = place.deletingLastPathComponent().path
    }

    /// True for the store, its write-ahead log and what else SQLite keeps beside it, however the path is written.
    func contains(_ path: String) -> Bool {
        // Most files are told apart by their names.
        guard let last = path.split(separator: "/").last, last.hasPrefix(name) || isLink(path) else { return false }
        let place = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        return place.deletingLastPathComponent().path == folder
            && ["", "-wal", "-shm", "-journal"].contains { name + $0 == place.lastPathComponent }
    }

    private func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }
}
