import Foundation
import LocatedYAML
import Responses
import Testing
import VigilModel

@testable import Vigil

@Suite("Kept lists")
struct KeptListTests {
    private let place: Workplace
    private static let now = LogTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))

    init() throws { place = try Workplace() }

    private func list(_ addresses: String..., at moment: LogTime = now) throws -> BlockList {
        let bans = try addresses.map { text -> Ban in
            let ip = try #require(IPAddress(text))
            return Ban(
                cidr: CIDR(ip, prefix: ip.bitWidth), sourceIP: ip, start: KeptListTests.now,
                end: KeptListTests.now.adding(milliseconds: 3_600_000), ruleID: "auth-bruteforce", alertID: "a",
                reason: "", eventCount: 10, mode: .enforce, by: "rule")
        }
        return BlockList(bans: bans, moment: moment)
    }

    func kept(_ format: String = "plain", reload: String = "") throws -> KeptList {
        let text = "{format: \(format), path: \(place.path("list"))\(reload.isEmpty ? "" : ", reload: \(reload)")}"
        return KeptList(try BlockListFile(YAMLValue(text: text, file: "c.yml")), BlockListOptions())
    }

    private func content(_ name: String = "list") -> String {
        String(decoding: FileManager.default.contents(atPath: place.path(name)) ?? Data(), as: UTF8.self)
    }

    /// Counts its runs in a file.
    private var counting: String { "[/bin/sh, -c, 'echo x >> \(place.path("runs"))']" }

    @Test("is written when bans change, its reader told each time, and not otherwise")
    func changes() throws {
        var kept = try kept(reload: counting)
        #expect(kept.update(try list()) == .done(bans: 0))
        #expect(FileManager.default.fileExists(atPath: place.path("list")))
        #expect(kept.update(try list("203.0.113.66")) == .done(bans: 1))
        #expect(kept.update(try list("203.0.113.66")) == .nothing)
        #expect(content() == "203.0.113.66/32\n")
        #expect(kept.update(try list()) == .done(bans: 0))
        #expect(content().isEmpty && content("runs") == "x\nx\nx\n")
        // Another process does not know whether the reader was told of the file that it finds: it tells it once.
        var other = try self.kept(reload: counting)
        #expect(other.update(try list()) == .done(bans: 0))
        #expect(other.update(try list()) == .nothing)
        #expect(content("runs") == "x\nx\nx\nx\n")
        var silent = try self.kept()
        #expect(silent.update(try list()) == .nothing)
    }

    @Test("who was freed is free in the file while its reader cannot be told")
    func freed() throws {
        var kept = try kept(reload: "[/bin/false]")
        guard case .failed = kept.update(try list("203.0.113.66")) else {
            Issue.record("the reload did not fail")
            return
        }
        #expect(kept.update(try list()) == .nothing)
        #expect(content().isEmpty)
    }

    @Test("an address and its network are two subjects of fail2ban's log")
    func subjects() throws {
        let ip = try #require(IPAddress("2001:db8:5::"))
        let bans = [48, 128].map { prefix in
            Ban(
                cidr: CIDR(ip, prefix: prefix), sourceIP: ip, start: KeptListTests.now,
                end: KeptListTests.now.adding(milliseconds: 3_600_000), ruleID: "manual", alertID: nil, reason: "",
                eventCount: 0, mode: .enforce, by: "root")
        }
        let both = BlockList(bans: bans, moment: KeptListTests.now)
        var kept = try kept("fail2ban", reload: counting)
        #expect(kept.update(both) == .done(bans: 2))
        let written = content()
        for _ in 0..<3 { #expect(kept.update(both) == .nothing) }
        #expect(content() == written && content("runs") == "x\n")
    }

    @Test(
        "what tells the time that is left is written when bans change, not every second", arguments: ["nft", "ipset"])
    func timeLeft(format: String) throws {
        var kept = try kept(format)
        #expect(kept.update(try list("203.0.113.66")) == .done(bans: 1))
        let first = content()
        let later = try list("203.0.113.66", at: KeptListTests.now.adding(milliseconds: 60_000))
        #expect(kept.update(later) == .nothing && content() == first)
        try FileManager.default.removeItem(atPath: place.path("list"))
        #expect(kept.update(later) == .done(bans: 1))
    }

    @Test("keeps mode, owner and link, and leaves nothing beside it")
    func attributes() throws {
        let real = place.path("real")
        try Data("old\n".utf8).write(to: URL(fileURLWithPath: real))
        chmod(real, 0o640)
        if getuid() == 0 { chown(real, 65534, 65534) }
        try FileManager.default.createSymbolicLink(atPath: place.path("list"), withDestinationPath: real)
        var kept = try kept()
        #expect(kept.update(try list("203.0.113.66")) == .done(bans: 1))
        var status = stat()
        #expect(stat(real, &status) == 0 && status.st_mode & 0o7777 == 0o640)
        #expect(getuid() != 0 || status.st_uid == 65534 && status.st_gid == 65534)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: place.path("list")) == real)
        #expect(content("real") == "203.0.113.66/32\n")
        #expect(Set(try FileManager.default.contentsOfDirectory(atPath: place.folder.path)) == ["real", "list"])
    }

    @Test("a reload that fails is told once and tried again, and so is a folder that is not there")
    func failures() throws {
        var kept = try kept(reload: "[/bin/sh, -c, 'echo no such luck; test -e \(place.path("luck"))']")
        guard case .failed(let problem) = kept.update(try list("203.0.113.66")) else {
            Issue.record("it did not fail")
            return
        }
        #expect(problem.contains("no such luck") && content() == "203.0.113.66/32\n")
        #expect(kept.update(try list("203.0.113.66")) == .nothing)
        let soon = Date(timeIntervalSinceNow: 1.5)
        #expect(kept.update(try list("203.0.113.66"), now: soon) == .nothing)
        try Data().write(to: URL(fileURLWithPath: place.path("luck")))
        #expect(kept.update(try list("203.0.113.66"), now: Date(timeIntervalSinceNow: 10)) == .recovered)
        var lost = KeptList(
            try BlockListFile(YAMLValue(text: "{format: plain, path: /nowhere/list}", file: "c")), BlockListOptions())
        guard case .failed(let reason) = lost.update(try list()) else {
            Issue.record("it did not fail")
            return
        }
        #expect(reason.contains("/nowhere/list") && reason.contains("No such file"))
    }

    @Test("a program that hangs is ended, with what it started")
    func hangs() throws {
        let started = Date()
        #expect(throws: ListProblem.self) { try ReloadCommand.run(["/bin/sleep", "30"], limit: 0.5) }
        #expect(throws: ListProblem.self) { try ReloadCommand.run(["/nowhere/program"]) }
        #expect(Date().timeIntervalSince(started) < 10)
    }

    @Test("what a program that hangs has started is ended, too, though it takes no notice of signals")
    func group() throws {
        let script = "trap '' TERM; sleep 300 & echo $! > '\(place.path("child"))'; sleep 300"
        #expect(throws: ListProblem.self) { try ReloadCommand.run(["/bin/sh", "-c", script], limit: 0.5) }
        let child = try #require(Int32(content("child").trimmingCharacters(in: .whitespacesAndNewlines)))
        let end = Date(timeIntervalSinceNow: 5)
        while kill(child, 0) == 0, !isZombie(child), Date() < end { Thread.sleep(forTimeInterval: 0.05) }
        #expect(kill(child, 0) != 0 || isZombie(child))
    }

    /// It has ended, and nobody has asked how.
    private func isZombie(_ pid: Int32) -> Bool {
        let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/stat") ?? Data()
        return String(decoding: bytes, as: UTF8.self).contains(") Z ")
    }

    @Test("a run leaves nothing open, and the program gets nothing of ours but three files")
    func descriptors() throws {
        let seen = try ReloadCommand.run(["/bin/ls", "/proc/self/fd"])
        // Its own look is the fourth.
        #expect(String(decoding: seen, as: UTF8.self).split(separator: "\n").count == 4)
        func count() -> Int {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
            return names.filter {
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0)
                return target?.contains("pgvigil-run-") == true && target?.contains("deleted") == true
            }.count
        }
        for _ in 0..<20 { try ReloadCommand.run(["/bin/true"]) }
        #expect(count() == 0)
        #expect(throws: ListProblem.self) { try ReloadCommand.run(["/bin/sh", "-c", "kill -9 $$"]) }
    }

    @Test("no shell reads what is run")
    func words() throws {
        try ReloadCommand.run(["/bin/sh", "-c", "test \"$1\" = '$(x); `y`'", "sh", "$(x); `y`"])
    }

    @Test("fail2ban's file is a log: only what is new is added, also behind a line that was cut off")
    func log() throws {
        var kept = try kept("fail2ban")
        _ = kept.update(try list("203.0.113.66"))
        var status = stat()
        let first = content()
        #expect(kept.update(try list("203.0.113.66")) == .nothing)
        try Data(first.utf8.dropLast(5)).write(to: URL(fileURLWithPath: place.path("list")))
        stat(place.path("list"), &status)
        let second = status.st_ino
        #expect(kept.update(try list("203.0.113.66", "203.0.113.67")) == .done(bans: 2))
        let lines = content().split(separator: "\n").map(String.init)
        #expect(lines.count == 3 && lines[1] + "\n" == first && lines[2].contains("Ban 203.0.113.67"))
        stat(place.path("list"), &status)
        #expect(status.st_ino == second)
    }

    @Test("fail2ban's file is read again only when somebody else has changed it, and renewed when that is due")
    func reads() throws {
        var kept = try kept("fail2ban")
        let list = try list("203.0.113.66")
        let start = Date()
        _ = kept.update(list, now: start)
        for step in 1...40 {
            #expect(kept.update(list, isSame: true, now: start.addingTimeInterval(Double(step) / 4)) == .nothing)
        }
        _ = kept.update(try self.list("203.0.113.66", "203.0.113.67"), now: start.addingTimeInterval(11))
        #expect(kept.reads == 0)
        let handle = try #require(FileHandle(forWritingAtPath: place.path("list")))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(content().replacing(" Ban ", with: " Unban ").utf8))
        try handle.close()
        #expect(kept.update(list, isSame: true, now: start.addingTimeInterval(11.1)) == .done(bans: 1))
        #expect(kept.reads == 1)
        #expect(content().split(separator: "\n").last?.contains("] Ban 203.0.113.66 ") == true)
        // The line of a longer ban is renewed every half hour.
        var long = list.bans
        long[0].end = KeptListTests.now.adding(milliseconds: 4 * 3_600_000)
        func look(_ second: Int64) -> KeptList.Outcome {
            kept.update(
                BlockList(bans: long, moment: KeptListTests.now.adding(milliseconds: second * 1000)), isSame: true,
                now: start.addingTimeInterval(Double(second)))
        }
        #expect(look(1700) == .done(bans: 1) && look(1790) == .nothing && look(1801) == .done(bans: 1))
        #expect(kept.reads == 1 && content().split(separator: "\n").count == 7)
    }

    @Test("who goes on after a failure knows of it, and says when it is over")
    func goesOn() throws {
        let reload = "[/bin/sh, -c, 'test -e \(place.path("luck"))']"
        var kept = try kept(reload: reload)
        guard case .failed = kept.update(try list("203.0.113.66")) else {
            Issue.record("it did not fail")
            return
        }
        let file = kept.file
        #expect(kept.state.failing != nil && kept.state.bans == 1 && kept.state.told == nil)
        var next = KeptList(file, BlockListOptions(), state: kept.state)
        #expect(next.update(try list("203.0.113.66")) == .nothing)
        #expect(next.state.failing == kept.state.failing)
        try Data().write(to: URL(fileURLWithPath: place.path("luck")))
        #expect(next.update(try list("203.0.113.66"), now: Date(timeIntervalSinceNow: 10)) == .recovered)
        #expect(next.state.failing == nil && next.state.problem == nil && next.state.told != nil)
    }

    @Test("a list that could not be written is not taken for current, also when bans stay the same")
    func unwritten() throws {
        var kept = try kept()
        _ = kept.update(try list())
        try FileManager.default.createDirectory(
            atPath: place.path("list.pgvigil-\(getpid())"), withIntermediateDirectories: false)
        guard case .failed = kept.update(try list("203.0.113.66")) else {
            Issue.record("it did not fail")
            return
        }
        let later = Date(timeIntervalSinceNow: 20)
        #expect(kept.update(try list("203.0.113.66"), isSame: true, now: later) == .nothing)
        #expect(kept.problem != nil && content().isEmpty)
        try FileManager.default.removeItem(atPath: place.path("list.pgvigil-\(getpid())"))
        let last = Date(timeIntervalSinceNow: 40)
        #expect(kept.update(try list("203.0.113.66"), isSame: true, now: last) == .recovered)
        #expect(content() == "203.0.113.66/32\n")
    }

    @Test("a clock that was set back stops neither writing nor telling")
    func clock() throws {
        var kept = try kept(reload: "[/bin/sh, -c, 'test -e \(place.path("luck"))']")
        let future = Date(timeIntervalSinceNow: 86_400)
        _ = kept.update(try list("203.0.113.66"), now: future)
        try Data().write(to: URL(fileURLWithPath: place.path("luck")))
        #expect(kept.update(try list("203.0.113.66", "203.0.113.67")) == .recovered)
        #expect(content() == "203.0.113.66/32\n203.0.113.67/32\n")
    }
}
