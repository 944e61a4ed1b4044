import Foundation

/// Held by whoever keeps the files of `blocklists` of a store: two would write against each other. Gone with its process,
/// however that ends.
final class ListLock {
    private let file: Int32

    /// Nil while another process holds it.
    init?(store: String) throws {
        // Not on the store itself: closing it would drop SQLite's own locks (https://www.sqlite.org/howtocorrupt.html, 2.2).
        let path = store + ".lists"
        var file = open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o644)
        // One that another user made can be locked all the same.
        if file < 0, errno == EACCES { file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
        guard file >= 0 else { throw ListProblem.system(path) }
        // What root locked once must not be closed to the user of `watch` for good.
        fchmod(file, 0o644)
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            return nil
        }
        self.file = file
    }

    deinit { close(file) }
}
