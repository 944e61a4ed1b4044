import EventStore
import Foundation
import LocatedYAML
import Responses
import Testing
import VigilModel

@testable import Vigil

@Suite("Lists kept")
struct ListKeeperTests {
    private let place: Workplace
    private let store: Store

    init() throws {
        place = try Workplace()
        store = try Store(path: place.path("a.db"))
    }

    private func configuration(_ mode: String = "enforce", _ lists: String) throws -> Configuration {
        try Configuration(
            YAMLValue(
                text: "bans: {mode: \(mode)}\ntopology: {detect: false}\nblocklists: [\(lists)]\n", file: "c.yml"))
    }

    private func list(_ name: String = "list", format: String = "plain", reload: String = "") -> String {
        "{format: \(format), path: \(place.path(name))\(reload.isEmpty ? "" : ", reload: \(reload)")}"
    }

    private func content(_ name: String = "list") -> String? {
        FileManager.default.contents(atPath: place.path(name)).map { String(decoding: $0, as: UTF8.self) }
    }

    private func ban(_ address: String) throws {
        _ = try BanDesk(store, try configuration("enforce", ""), by: "anna", now: .wallClock)
            .ban(address, for: 3_600_000, reason: "x")
    }

    private func alerts() throws -> [String] {
        var filter = EventFilter()
        filter.values = [("rule.id", "list-failed")]
        var messages: [String] = []
        try store.query(.alerts, filter) { row in
            if case .text(let text)? = row.last?.value { messages.append(text) }
        }
        return messages
    }

    /// One round, and what it said.
    @discardableResult
    private func round(_ configuration: Configuration) throws -> [String] {
        try ListRefresh(store, configuration).messages
    }

    @Test(
        "a reload that fails is one alert of its own until it works again, also over a start, and the next is another")
    func failures() throws {
        let settings = try configuration(
            "enforce", list(reload: "[/bin/sh, -c, 'echo no luck; test -e \(place.path("luck"))']"))
        try ban("203.0.113.66")
        #expect(try round(settings).contains { $0.contains("[list-failed]") })
        try round(settings)
        try round(settings)
        #expect(try alerts().count == 1 && alerts()[0].contains("no luck"))
        let state = try #require(try store.lists().first)
        #expect(state.failing != nil && state.written != nil && state.told == nil && state.bans == 1)
        try Data().write(to: URL(fileURLWithPath: place.path("luck")))
        #expect(try round(settings).contains { $0.contains("current again") })
        #expect(try store.lists().first?.failing == nil && store.lists().first?.told != nil)
        try FileManager.default.removeItem(atPath: place.path("luck"))
        Thread.sleep(forTimeInterval: 0.01)
        try round(settings)
        #expect(try alerts().count == 2)
        let acts = try store.acts([.failed, .recovered]).map(\.kind)
        #expect(acts == [.failed, .recovered, .failed])
    }

    @Test("a list that cannot be written is an alert, too")
    func unwritable() throws {
        try round(try configuration("enforce", list("no/folder/list")))
        #expect(try alerts().count == 1 && alerts()[0].contains("No such file"))
        let report = try StatusReport(store, eachFile: false, at: .wallClock)
        #expect(report.lists.map(\.problem).count == 1 && report.lists[0].written == nil)
    }

    @Test("with observe the files that pgvigil wrote are emptied once, their readers told, and no others")
    func observe() throws {
        let told = place.path("told")
        let lists = [
            list("a", reload: "[/bin/sh, -c, 'echo x >> \(told)']"), list("b", format: "json"),
            list("c", format: "fail2ban"), list("d"),
        ].joined(separator: ", ")
        try Data("198.51.100.1\n".utf8).write(to: URL(fileURLWithPath: place.path("e")))
        try ban("203.0.113.66")
        try round(try configuration("enforce", lists))
        #expect(content("a") == "203.0.113.66/32\n" && content("told") == "x\n")
        // Somebody else writes this one since.
        try Data("198.51.100.1\n".utf8).write(to: URL(fileURLWithPath: place.path("d")))
        let observing = try configuration("observe", lists + ", " + list("e"))
        let said = try round(observing)
        #expect(said.filter { $0.contains("was emptied") && $0.contains("bans.mode is observe") }.count == 3, "\(said)")
        #expect(said.filter { $0.contains("left as it is") && $0.contains("/d") }.count == 1)
        #expect(content("a") == "" && content("b") == "[]\n" && content("told") == "x\nx\n")
        #expect(content("c")?.split(separator: "\n").last?.contains("Unban 203.0.113.66") == true)
        #expect(content("d") == "198.51.100.1\n" && content("e") == "198.51.100.1\n")
        // Once: what somebody writes there later stays.
        try Data("203.0.113.1\n".utf8).write(to: URL(fileURLWithPath: place.path("a")))
        #expect(try round(observing).isEmpty && content("a") == "203.0.113.1\n")
        #expect(try store.lists().isEmpty)
        try round(try configuration("enforce", lists))
        #expect(content("a") == "203.0.113.66/32\n")
    }

    @Test("a file that is no longer configured is emptied, another form under its path is not")
    func gone() throws {
        try ban("203.0.113.66")
        try round(try configuration("enforce", list("a") + ", " + list("b")))
        let said = try round(try configuration("enforce", list("b", format: "haproxy")))
        #expect(content("a") == "" && content("b") == "203.0.113.66/32\n")
        #expect(said.contains { $0.contains("no longer among blocklists") })
        #expect(try store.lists().map(\.format) == ["haproxy"])
    }

    @Test("two do not keep the lists of one store at a time")
    func lock() throws {
        try ban("203.0.113.66")
        let settings = try configuration("enforce", list())
        var held = try ListLock(store: store.path)
        #expect(try held != nil && !ListRefresh(store, settings).isDone && content() == nil)
        held = nil
        let keeper = try ListKeeper(store: store, configuration: settings)
        keeper.start()
        keeper.stop()
        #expect(try ListRefresh(store, settings).isDone)
    }

    @Test("a store that cannot be read is told once, not at every look")
    func storeError() throws {
        let settings = try configuration("enforce", list())
        let keeper = try ListKeeper(store: store, configuration: settings)
        try #require(try Workplace.sqlite(store.path, "ALTER TABLE acts RENAME TO gone") == "")
        keeper.start()
        Thread.sleep(forTimeInterval: 2)
        let said = keeper.takeMessages()
        #expect(said.count == 1 && said[0].contains("trying again"), "\(said)")
        try #require(try Workplace.sqlite(store.path, "ALTER TABLE gone RENAME TO acts") == "")
        let end = Date(timeIntervalSinceNow: 20)
        while content() == nil, Date() < end { Thread.sleep(forTimeInterval: 0.1) }
        #expect(content() == "")
        keeper.stop()
    }

    @Test("what the store could not take is kept when it can: no alert about a list is lost")
    func busy() throws {
        let settings = try configuration("enforce", list("no/folder/list") + ", " + list())
        try ban("203.0.113.66")
        let keeper = try ListKeeper(store: store, configuration: settings)
        try #require(try Workplace.sqlite(store.path, "ALTER TABLE lists RENAME TO gone") == "")
        _ = try keeper.once()
        #expect(keeper.takeMessages().filter { $0.contains("does not take") }.count == 1)
        #expect(try alerts().isEmpty && content() == "203.0.113.66/32\n" && keeper.failing.count == 2)
        try #require(try Workplace.sqlite(store.path, "ALTER TABLE gone RENAME TO lists") == "")
        Thread.sleep(forTimeInterval: 2.1)
        _ = try keeper.once()
        #expect(try alerts().count == 1 && store.lists().count == 2)
    }

    @Test("the list is made anew when something has changed, and not at every look")
    func current() throws {
        let current = CurrentList(store, try configuration("enforce", ""))
        let now = LogTime.wallClock
        func look(_ milliseconds: Int64) throws -> [Int] {
            let found = try current.get(at: now.adding(milliseconds: milliseconds))
            return [found.list.bans.count, found.isNew ? 1 : 0]
        }
        #expect(try look(0) == [0, 1] && look(250) == [0, 0])
        try ban("203.0.113.66")
        #expect(try look(500) == [1, 1] && look(750) == [1, 0])
        // It ends within the hour; half an hour before, it was not there yet.
        #expect(try look(3_700_000) == [0, 1] && look(3_700_250) == [0, 0])
        #expect(try look(-1_800_000) == [0, 1])
        #expect(try look(1000) == [1, 1])
        let desk = try BanDesk(store, try configuration("enforce", ""), by: "anna", now: .wallClock)
        _ = try desk.setPaused(true, reason: "x")
        #expect(try look(5000) == [0, 1])
    }

    @Test("neighbours are not put together over who had good sessions, came through a proxy, or was spared")
    func innocent() throws {
        var settings = try configuration("enforce", "")
        settings.bans.aggregate = 3
        for last in 1...3 { try ban("203.0.113.\(last)") }
        let current = CurrentList(store, settings)
        let later = LogTime.wallClock.adding(milliseconds: 1000)
        // Those that last longer than the block stand beside it.
        #expect(try current.get(at: later).list.bans.contains { $0.cidr.description == "203.0.113.0/24" })
        #expect(try BanBook(store, settings).entries(at: later, all: false).last?.ban.ruleID == Ban.aggregate)
        let account = try AddressAccount(of: try #require(IPAddress("203.0.113.9")), in: store, settings, at: later)
        #expect(account.bans.map(\.state) == [.inForce])
        try #require(
            try Workplace.sqlite(
                store.path,
                """
                INSERT INTO hops (address, port, start, "end", client, client_ip, client_port, exact)
                    VALUES ('10.0.0.1', 1, 1, 2, '203.0.113.9', '203.0.113.9', 5, 1);
                INSERT INTO kinds VALUES (900, 'd', 'c', 'x', 'success', NULL, 'info', '', NULL);
                INSERT INTO actors VALUES (1, 'x', NULL, '', '', NULL);
                INSERT INTO sources (id, fingerprint, head_length, path, format, generation, position, clock, counted,
                    records, text_lines, unread, unread_bytes) VALUES (1, 'f', 0, 'p', 'csvlog', 0, 0, 0, 0, 0, 0, 0, 0);
                INSERT INTO events (origin, line, mark, content, time, kind, actor, source, offset, count)
                    VALUES ('o', 1, 1, 1, 1, 900, 1, 1, 0, 1)
                """) == "")
        #expect(try BanBook(store, settings).list(at: later).bans.allSatisfy(\.cidr.isHost))
    }

    @Test("who is freed out of a block that stands for neighbours is free at once, and the others stay banned")
    func freed() throws {
        var settings = try configuration("enforce", "")
        settings.bans.aggregate = 3
        for last in 1...3 { try ban("203.0.113.\(last)") }
        Thread.sleep(forTimeInterval: 0.01)
        let desk = try BanDesk(store, settings, by: "anna", now: .wallClock)
        let freed = try desk.unban("203.0.113.77", reason: "a customer")
        #expect(freed.bans.isEmpty && freed.blocks.map(\.cidr.description) == ["203.0.113.0/24"])
        let list = try BanBook(store, settings).list(at: .wallClock)
        #expect(list.bans.map(\.cidr.description) == ["203.0.113.1/32", "203.0.113.2/32", "203.0.113.3/32"])
        #expect(try desk.unban("203.0.113.78", reason: "x").blocks.isEmpty)
        #expect(try desk.unban("203.0.113.3", reason: "x").bans.count == 1)
    }
}

extension Workplace {
    /// What sqlite3 says to SQL.
    static func sqlite(_ store: String, _ sql: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
        process.arguments = ["-cmd", ".timeout 5000", store, sql]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return text
    }
}
