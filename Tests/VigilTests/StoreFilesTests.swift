import Foundation
import Testing

@testable import Vigil

@Suite("The store's own files")
struct StoreFilesTests {
    @Test("are known however the path is written, and nothing else is taken for one") func known() throws {
        let place = try Workplace()
        for name in ["a.db", "a.db-wal", "a.db-shm", "a.db.csv", "b.csv"] { try place.write(name, ["x"]) }
        symlink(place.path("a.db"), place.path("link.csv"))
        let files = StoreFiles(place.path("a.db"))
        for name in ["a.db", "a.db-wal", "a.db-shm", "a.db-journal", "link.csv", "./a.db", "x/../a.db-wal"] {
            #expect(files.contains(place.folder.path + "/" + name), "\(name)")
        }
        for name in ["a.db.csv", "b.csv", "a.db-walk"] { #expect(!files.contains(place.path(name)), "\(name)") }
        #expect(!files.contains("/tmp/a.db"))
    }
}
