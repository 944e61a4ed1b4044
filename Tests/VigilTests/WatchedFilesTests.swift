import Foundation
import LogSources
import Testing
import VigilModel

@testable import Vigil

@Suite("Files that are followed")
struct WatchedFilesTests {
    private let place: Workplace
    private let noon = Date()

    init() throws { place = try Workplace() }

    /// Looks after so many seconds; the form of a file stands in its first line.
    private func refresh(_ files: inout WatchedFiles, after seconds: Double) throws -> (
        read: [String], passed: [String]
    ) {
        let inputs = (try? InputPaths.expand([place.folder.path])) ?? []
        let found = files.refresh(inputs, at: noon.addingTimeInterval(seconds)) { input in
            guard let text = try? String(contentsOfFile: input.path, encoding: .utf8), !text.isEmpty else { return nil }
            let words = text.split(whereSeparator: \.isWhitespace)
            return WatchedFiles.Look(
                candidate: SameLog.Candidate(
                    path: input.path, form: ServerLogForm(rawValue: String(words[0])),
                    start: LogTime(milliseconds: Int64(words[1]) ?? 0)))
        }
        func name(_ path: String) -> String { URL(fileURLWithPath: path).lastPathComponent }
        return (found.paths.map(name), found.passedOver.map { name($0.path) })
    }

    @Test("a form of the log waits for a richer one, which is made a moment later")
    func waits() throws {
        var files = WatchedFiles()
        try place.write("p.log", ["stderr 1000"])
        try place.write("q.log", ["stderr 500"])
        #expect(try refresh(&files, after: 0).read == [])
        try place.write("p.csv", ["csvlog 1000"])
        let found = try refresh(&files, after: 0.5)
        #expect(found.read == ["p.csv"] && found.passed == ["p.log"])
        #expect(try refresh(&files, after: 1.5).read == ["q.log", "p.csv"])
    }

    @Test("what was left for a richer file stays so when that is deleted first")
    func deleted() throws {
        var files = WatchedFiles()
        try place.write("p.log", ["stderr 1000"])
        try place.write("p.csv", ["csvlog 1000"])
        #expect(try refresh(&files, after: 0).passed == ["p.log"])
        try FileManager.default.removeItem(atPath: place.path("p.csv"))
        #expect(try refresh(&files, after: 5).read == [])
        // Another file of that name is another log.
        try FileManager.default.removeItem(atPath: place.path("p.log"))
        #expect(try refresh(&files, after: 6).read == [])
        try place.write("p.log", ["stderr 2000"])
        _ = try refresh(&files, after: 7)
        #expect(try refresh(&files, after: 9).read == ["p.log"])
    }

    @Test("a file that is no log yet is looked at again when it has grown")
    func grows() throws {
        var files = WatchedFiles()
        try place.write("p.csv", [])
        #expect(try refresh(&files, after: 0).read == [])
        try place.write("p.csv", ["csvlog 1000"])
        #expect(try refresh(&files, after: 1).read == ["p.csv"])
    }
}
