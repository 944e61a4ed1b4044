import Foundation
import Testing

@testable import Vigil

/// What is written as root must not be led elsewhere by who owns a folder. Needs root, to be somebody else.
@Suite("Where lists are written", .enabled(if: getuid() == 0, "only root can give folders to others"))
struct FilePlaceTests {
    private let place: Workplace
    private static let nobody: uid_t = 65534

    init() throws {
        place = try Workplace()
        try Data("secret\n".utf8).write(to: URL(fileURLWithPath: place.path("victim")))
        try FileManager.default.createDirectory(atPath: place.path("theirs"), withIntermediateDirectories: false)
        chown(place.path("theirs"), FilePlaceTests.nobody, FilePlaceTests.nobody)
    }

    private var path: String { place.path("theirs/list") }

    private func content(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }

    private func link(_ name: String, to target: String, of user: uid_t = nobody) {
        symlink(target, place.path(name))
        lchown(place.path(name), user, user)
    }

    /// The victim is as it was, and writing says why it did nothing.
    private func isRefused(_ reason: String, path: String? = nil) {
        let path = path ?? self.path
        let started = Date()
        for write in [
            { _ = try AtomicFile.write("ours\n", to: path) }, { _ = try AtomicFile.append("ours\n", to: path) },
        ] {
            do {
                try write()
                Issue.record("it was written")
            } catch { #expect("\(error)".contains(reason), "\(error)") }
        }
        #expect(content(place.path("victim")) == "secret\n" && Date().timeIntervalSince(started) < 5)
    }

    @Test("a link in a folder of another's is not followed, whoever made the link", arguments: [nobody, 0])
    func links(owner: uid_t) {
        link("theirs/list", to: place.path("victim"), of: owner)
        isRefused("a link that others than root can change is not followed")
    }

    @Test("nor is a folder on the way that is a link there")
    func folders() throws {
        link("theirs/sub", to: place.folder.path)
        isRefused("not followed", path: place.path("theirs/sub/victim"))
    }

    @Test("a link that everybody could have put there is not followed, but root's own in a sticky folder is")
    func open() throws {
        try FileManager.default.createDirectory(atPath: place.path("open"), withIntermediateDirectories: false)
        chmod(place.path("open"), 0o777)
        link("open/list", to: place.path("victim"), of: 0)
        isRefused("not followed", path: place.path("open/list"))
        chmod(place.path("open"), 0o1777)
        #expect(try AtomicFile.write("ours\n", to: place.path("open/list")))
        #expect(content(place.path("victim")) == "ours\n")
    }

    @Test("a pipe, a folder or a device there is no file, and nobody waits for it")
    func others() throws {
        mkfifo(path, 0o666)
        isRefused("no regular file")
        unlink(path)
        mkdir(path, 0o777)
        isRefused("no regular file")
    }

    @Test("a second name of another's file gets none of our lines, and the file of that name is replaced")
    func names() throws {
        Glibc.link(place.path("victim"), path)
        #expect(try !AtomicFile.append("ours\n", to: path))
        #expect(try AtomicFile.write("ours\n", to: path))
        #expect(content(place.path("victim")) == "secret\n" && content(path) == "ours\n")
    }

    @Test("a plain file there keeps mode and owner, but for what lets it be run as somebody")
    func attributes() throws {
        try Data("old\n".utf8).write(to: URL(fileURLWithPath: path))
        chown(path, FilePlaceTests.nobody, FilePlaceTests.nobody)
        chmod(path, 0o4640)
        #expect(try AtomicFile.write("new\n", to: path))
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_uid == FilePlaceTests.nobody && status.st_mode & 0o7777 == 0o640)
        #expect(try !AtomicFile.write("new\n", to: path))
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.path("theirs")) == ["list"])
    }

    @Test("a new file belongs to who owns its folder, so that this one can go on with it")
    func new() throws {
        #expect(try AtomicFile.write("new\n", to: path))
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_uid == FilePlaceTests.nobody && status.st_mode & 0o7777 == 0o644)
    }

    @Test("what a writer that was killed left is taken away; what a living one writes is not")
    func leftovers() throws {
        let dead = Process()
        dead.executableURL = URL(fileURLWithPath: "/bin/true")
        try dead.run()
        dead.waitUntilExit()
        for name in ["list.pgvigil-\(dead.processIdentifier)", "list.pgvigil-1", "list.pgvigil-x"] {
            try Data().write(to: URL(fileURLWithPath: place.path("theirs/\(name)")))
        }
        AtomicFile.clean(path)
        #expect(
            try Set(FileManager.default.contentsOfDirectory(atPath: place.path("theirs")))
                == ["list.pgvigil-1", "list.pgvigil-x"])
    }
}
