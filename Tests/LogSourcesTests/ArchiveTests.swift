import Codecs
import Foundation
import Testing

@testable import LogSources

@Suite("Archives")
struct ArchiveTests {
    private let packing: Packing

    init() throws { packing = try Packing() }

    @Test("are known by their content and read in pieces of any size", arguments: Compression.allCases)
    func whole(_ compression: Compression) throws {
        let content = text(600_000)
        let packed = try packing.pack(content, compression)
        let path = try packing.write("postgresql-Mon.csv", packed)
        for piece in [1009, 65_536, 1_000_000] {
            let file = try LogFile(path: path)
            #expect(file.compression == compression)
            #expect(try file.head(300) == Array(content.prefix(300)))
            let (bytes, problem) = file.readAll(piece)
            #expect(isSame(bytes, content) && problem == nil)
            #expect(file.offset == Int64(content.count) && file.consumed == Int64(packed.count))
        }
        #expect(try LogFile(path: path).unpackedLength() == Int64(content.count))
    }

    @Test("of many members, empty ones too, are read through", arguments: Compression.allCases)
    func members(_ compression: Compression) throws {
        let first = text(200_000, seed: 1)
        let line = Array("one record, one frame\n".utf8)
        let short = try packing.pack(line, compression)
        var packed = try packing.pack(first, compression) + packing.pack([], compression)
        for _ in 0..<3000 { packed += short }
        let file = try LogFile(path: packing.write("audit.log.gz", packed))
        let (bytes, problem) = file.readAll()
        #expect(isSame(bytes, first + (0..<3000).flatMap { _ in line }) && problem == nil)
    }

    @Test("give everything before a tear, then say where it is", arguments: Compression.allCases)
    func torn(_ compression: Compression) throws {
        let content = text(500_000)
        let packed = try packing.pack(content, compression) + packing.pack(content, compression)
        for cut in [packed.count - 1, packed.count * 2 / 3, packed.count / 2 + 3, packed.count / 3, 40] {
            let path = try packing.write("torn", Array(packed.prefix(cut)))
            let (bytes, problem) = try LogFile(path: path).readAll()
            #expect(isSame(bytes, (content + content).prefix(bytes.count)))
            #expect(try bytes.count >= packing.unpack(path, compression).count)
            #expect("\(try #require(problem))".contains("\(path): ends in the middle of its \(compression) data"))
        }
    }

    @Test("that are small lose no byte before a tear")
    func smallTorn() throws {
        let packed = try packing.pack(text(20_000), .gzip)
        let path = try packing.write("torn", Array(packed.prefix(packed.count * 2 / 3)))
        #expect(try LogFile(path: path).readAll().bytes.count > 11_000)
        #expect(try LogFile(path: path).head(256).count == 256)
    }

    @Test("with wrong bytes end in an error, never in a crash or for ever", arguments: Compression.allCases)
    func corrupt(_ compression: Compression) throws {
        let content = text(60_000)
        let packed = try packing.pack(content, compression)
        var random = Numbers(11)
        var found = 0
        for _ in 0..<200 {
            var broken = packed
            for _ in 0..<3 {
                broken[Int.random(in: 12..<broken.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let (bytes, problem) = try LogFile(path: packing.write("broken", broken)).readAll()
            #expect(bytes.count <= 4 << 20)
            if problem != nil { found += 1 }
        }
        #expect(found > 180)
    }

    @Test("with something else behind them say so", arguments: Compression.allCases)
    func garbage(_ compression: Compression) throws {
        let content = text(5000)
        let packed = try packing.pack(content, compression)
        let (bytes, problem) = try LogFile(path: packing.write("a", packed + Array("2026-03-02 10:00".utf8))).readAll()
        #expect(isSame(bytes, content))
        #expect("\(try #require(problem))".contains("from byte \(packed.count)"))
        let padded = try LogFile(path: packing.write("a", packed + [UInt8](repeating: 0, count: 512))).readAll()
        #expect(isSame(padded.bytes, content) && padded.problem == nil)
    }

    @Test("are read on from any offset, and back", arguments: Compression.allCases)
    func seeking(_ compression: Compression) throws {
        let content = text(700_000)
        let file = try LogFile(path: packing.write("a", packing.pack(content, compression)))
        for offset in [650_000, 3, 0, 699_999, 700_000, 800_000] {
            file.seek(to: Int64(offset))
            #expect(isSame(file.readAll().bytes, content.dropFirst(offset)))
        }
    }

    @Test("come through a pipe, too", arguments: Compression.allCases)
    func pipe(_ compression: Compression) throws {
        let content = text(300_000)
        let packed = try packing.pack(content, compression)
        let path = packing.folder.appending(path: "pipe").path
        try #require(mkfifo(path, 0o600) == 0)
        let file = try LogFile(path: path)
        let handle = try #require(FileHandle(forWritingAtPath: path))
        Thread.detachNewThread {
            for at in stride(from: 0, to: packed.count, by: 7777) {
                try? handle.write(contentsOf: Data(packed[at..<min(at + 7777, packed.count)]))
            }
            try? handle.close()
        }
        #expect(try file.head(1000) == Array(content.prefix(1000)))
        #expect(file.isArchive && !file.isRegular)
        #expect(isSame(file.readAll().bytes, content))
    }

    @Test("that begin with a skippable frame, as pzstd's, are read")
    func skippable() throws {
        let content = text(1000)
        let skipped: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]
        for compression in [Compression.zstd, .lz4] {
            let packed = try packing.pack(content, compression)
            let file = try LogFile(path: packing.write("a", skipped + packed + skipped + packed))
            #expect(file.compression == compression)
            #expect(isSame(file.readAll().bytes, content + content))
        }
    }

    @Test("are nothing that only has their name")
    func plain() throws {
        for content in [text(1000), Array("BZh9 is no archive\n".utf8), [0x1F], Array("2".utf8), []] {
            let file = try LogFile(path: packing.write("a.gz", content))
            #expect(!file.isArchive && file.unpackedPath == file.path)
            #expect(isSame(file.readAll().bytes, content))
        }
    }

    @Test("that hold other files are told apart")
    func containers() throws {
        #expect(Container.describe([0x50, 0x4B, 3, 4, 20]) == "a zip archive")
        #expect(Container.describe([UInt8](repeating: 65, count: 257) + Array("ustar\u{0}00".utf8)) == "a tar archive")
        #expect(Container.describe(text(1000)) == nil)
    }
}
