import EventStore
import Foundation
import LogRecords
import LogSources
import Patterns
import Responses
import SecurityEvents
import VigilModel

/// Nothing to follow.
public struct WatchProblem: Error, CustomStringConvertible {
    /// What to do.
    public var description: String {
        "nothing to follow\n  hint: name log files or folders, or --from a server of logs, or list them under `sources` in the configuration;\n        without any, /pg/log and /var/log/{postgresql,pgbouncer,patroni,pgbackrest} are looked at"
    }
}

/// Follows files until it is stopped: every wake-up reads what is new, commits it with its positions, and brings rules
/// up to two seconds behind the log, so that sources that write at once are seen in order.
public final class Watch {
    private let paths: [String]
    private let storePath: String
    private let configuration: Configuration
    private let catalogue: Catalogue
    private let fleets: [FleetSource]
    private var followers: [FleetFollower] = []
    private var files = WatchedFiles()
    private var losses = LossWatch()
    private var followed: [String: Followed] = [:]
    /// Files that are read to their end and quiet: closed, until they change.
    private var resting: [String: FileStamp] = [:]
    /// Paths that could not be opened.
    private var unreadable: Set<String> = []
    /// What is counted of all this.
    private let meter: WatchMeter
    /// Where rows of Vector come in.
    private let door: VectorDoor
    /// Which of `paths` a file was found by.
    private var origins: [String: String] = [:]
    /// How often expressions gave up.
    private var giveUps: GiveUps
    /// Patterns of which that was said.
    private var toldGiveUps: Set<String> = []
    /// When it was last counted what rules hold.
    private var rulesMeteredAt = Date.distantPast
    private let notifier: ServiceNotifier
    private var warnings = WatchWarnings()
    private var breath = Breath()
    /// When the turn before began.
    private var turnedAt = ContinuousClock.now
    /// Bytes read since.
    private var turnBytes: Int64 = 0

    /// Rules run this far behind the slowest source, in milliseconds of event time; a source that has been quiet for as
    /// long holds them no more.
    private static let delay: Int64 = 2000

    /// Events are committed when they are found, and where reading is with them; without any, so often.
    private static let commitAfter = Duration.seconds(1)

    /// So many files are open at a time; others wait until one of them rests.
    private static let openLimit = 256
    /// Seconds of quiet after which a file is closed.
    private static let restAfter = 10.0

    /// A file that is followed.
    private struct Followed {
        var reader: SourceReader
        var quietSince: Date
        var isSettled = false
        /// What the file was when it was opened.
        let stamp: FileStamp?
        /// Its first bytes when it was opened, and SHA-256 of them.
        let head: [UInt8]
        let fingerprint: String
        /// Where it really stands: a link may lead out of its folder, and what is written is told there.
        let folder: String
        /// It has been read to its end at least once.
        var hasReachedEnd = false
        /// An archive that was read as far as it can be, with what was wrong.
        var isDone = false
        var problem: SourceProblem?
    }

    /// Takes what to follow; without any, what is configured. Throws `WatchProblem` when that is nothing, and what is
    /// wrong with the catalogue.
    public init(
        paths: [String], from fleets: [FleetSource] = [], store: String, configuration: Configuration,
        meter: WatchMeter = WatchMeter(), door: VectorDoor = VectorDoor()
    ) throws {
        notifier = ServiceNotifier()
        self.meter = meter
        self.door = door
        let isNamed = !paths.isEmpty || !fleets.isEmpty
        self.fleets = isNamed ? fleets : configuration.fleets
        let configured = configuration.sources.map(\.path)
        self.paths =
            isNamed ? paths : configured.isEmpty && self.fleets.isEmpty ? configuration.node.folders : configured
        let isPosted = configuration.ingest != nil && configuration.listen != nil
        guard !self.paths.isEmpty || !self.fleets.isEmpty || isPosted else { throw WatchProblem() }
        storePath = store
        self.configuration = configuration
        catalogue = try configuration.catalogue()
        giveUps = GiveUps(catalogue)
    }

    /// Follows until SIGTERM or SIGINT, or until SIGHUP asks for another configuration, which gives true: the next watch
    /// goes on where this one was. `tell` gets one line for each alert and each change of what is followed. `scrapes` may
    /// ask the store meanwhile.
    public func run(scrapes: ScrapeDesk? = nil, tell: (String) -> Void) throws -> Bool {
        let stop = try StopSignal.shared()
        let store = try Store(path: storePath)
        scrapes?.use(store)
        defer { scrapes?.use(nil) }
        let writer = StoreWriter(store)
        let keeper = try StoreKeeper(store, writer, configuration.retention, meter: meter)
        let acts = ActWriter(store)
        try acts.note(configuration, rules: catalogue.digest)
        let pass = DetectionPass(store: store, rules: catalogue.rules, configuration: configuration)
        let watcher = try FolderWatcher(stop: stop.descriptor)
        meter.know(catalogue.rules)
        let checkpoints = CheckpointDesk()
        try checkpoints.start(store)
        defer { checkpoints.stop() }
        let desk = DeliveryDesk(store: store, configuration: configuration, meter: meter)
        try desk.start()
        defer { desk.stop() }
        let fleetReader = FleetReader(store: store, catalogue: catalogue.events)
        followers = fleets.map { FleetFollower($0, store: store, reader: fleetReader, meter: meter) }
        for follower in followers { try follower.start() }
        defer { for follower in followers { follower.stop() } }
        if let ingest = configuration.ingest { door.open(VectorInput(fleetReader, ingest, meter: meter)) }
        defer { door.close() }
        tell("following \((paths + fleets.map(\.name)).joined(separator: " ")), store \(storePath)")
        if let talk = try acts.start(paths: paths + fleets.map(\.name)) { tell(talk) }
        tell(try keeper.head())
        for path in paths where (try? InputPaths.expand([path])) == nil {
            tell("no log is at \(Shown.text(path)) yet; waiting for one")
        }
        // In observe mode nothing outside the store is written, but for what enforcing left there: that is emptied.
        let lists = try ListKeeper(store: store, configuration: configuration)
        let listKeeper = lists.isNeeded ? lists : nil
        listKeeper?.start()
        defer { listKeeper?.stop() }
        var lookedAt = Date.distantPast
        var ruledAt = Date.distantPast
        var changedAt = Date()
        var isWatched = false
        notifier.tell(.ready)
        while true {
            let began = ContinuousClock.now
            // Records must be seen at once; a new file may take a fifth of a second. Where nothing stirs, and would be told,
            // nothing is looked for.
            let isQuiet =
                isWatched && Date().timeIntervalSince(changedAt) > Watch.restAfter
                && followed.values.allSatisfy(\.isSettled)
            if Date().timeIntervalSince(lookedAt) > (isQuiet ? 5 : 0.2) {
                isWatched = folders().filter { !watcher.watch($0) }.isEmpty
                try look(store, writer, tell: tell)
                lookedAt = Date()
            }
            try read(writer, keeper, tell: tell)
            // Rules are two seconds behind: a tenth of one more is nothing, and running them costs.
            if Date().timeIntervalSince(ruledAt) >= 0.1 {
                try detect(store, pass, tell: tell)
                try rest(store, writer)
                try note(giveUps.take(), store, tell: tell)
                turn(pass)
                let news =
                    (listKeeper?.takeMessages() ?? []) + desk.takeMessages() + followers.flatMap { $0.takeMessages() }
                    + warnings.takeUnread()
                for message in news { tell(message) }
                ruledAt = Date()
            }
            // What waits for two quiet seconds needs a look soon; files of folders that cannot be watched need one at all.
            let waits = followed.values.contains { !$0.isSettled }
            // Where nothing stirs, and nothing comes from elsewhere, there is little to see to.
            let rests = isQuiet && followers.isEmpty && configuration.ingest == nil
            let wake = watcher.wait(milliseconds: keeper.isWorking ? 50 : waits ? 250 : rests ? 2500 : 1000)
            if wake == .stopped { break }
            if wake == .changed { changedAt = Date() }
            // A server writes many small pieces: they are read a few at a time.
            let passed = (ContinuousClock.now - began) / .seconds(1)
            if passed < breath.length { Thread.sleep(forTimeInterval: breath.length - passed) }
            let now = ContinuousClock.now
            breath.note(bytes: turnBytes, in: (now - turnedAt) / .seconds(1))
            (turnedAt, turnBytes) = (now, 0)
        }
        for entry in followed.values { entry.reader.pause() }
        try commit(writer, all: true)
        let isReload = stop.take() == .reload
        notifier.tell(isReload ? .reloading : .stopping)
        try acts.stop(isReload ? "the configuration is read again" : "stopped")
        tell(try keeper.head())
        tell(isReload ? "reading the configuration again" : "stopped")
        if !isReload { meter.note { $0.isRunning = false } }
        return isReload
    }

    /// Folders in which something may appear or change.
    private func folders() -> [String] {
        var result: Set<String> = []
        for path in paths {
            var isFolder: ObjCBool = false
            let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            result.insert(
                exists && isFolder.boolValue ? path : URL(fileURLWithPath: path).deletingLastPathComponent().path)
        }
        for (path, entry) in followed {
            result.insert(URL(fileURLWithPath: path).deletingLastPathComponent().path)
            result.insert(entry.folder)
        }
        return result.sorted()
    }

    /// Finds files that are new, were replaced, or were cut.
    private func look(_ store: Store, _ writer: StoreWriter, tell: (String) -> Void) throws {
        let inputs = expand()
        let found = try files.refresh(inputs) { input in
            guard let file = open(input.path, tell: tell), let profile = try profile(file, tell: tell) else {
                return nil
            }
            return WatchedFiles.Look(
                candidate: profile.candidate(isNamed: input.isNamed), isArchive: profile.isArchive)
        }
        for (path, richer) in found.passedOver {
            tell(
                "passing over \(Shown.text(path)): the same log as \(Shown.text(richer)) in another format; "
                    + "name the file itself to read it")
            try close(path, writer)
        }
        for path in found.paths { try follow(path, store, writer, tell: tell) }
        // Files that are gone, or empty now, are not among them. One that is open is read to its end.
        let present = Set(found.paths)
        losses.forget(allBut: present.union(followed.keys))
        for path in losses.paths where !present.contains(path) {
            guard let reader = followed[path]?.reader else { continue }
            try note(losses.look(path, FileStamp(path), isDeleted: reader.file.isDeleted), of: reader, writer)
        }
    }

    /// Keeps what a file lost; of one that was deleted, once no copy of it came.
    private func note(_ loss: FileLoss?, of reader: SourceReader, _ writer: StoreWriter) throws {
        guard let loss, let note = reader.note(loss) else { return }
        if loss.way != .deleted { meter.note { $0.sources[source(of: loss.path), default: .init()].truncations += 1 } }
        if loss.way == .deleted { losses.delete(note) } else { try writer.commit(notes: [note]) }
    }

    /// Opens a file that is not followed yet, or no longer the one that is.
    private func follow(_ path: String, _ store: Store, _ writer: StoreWriter, tell: (String) -> Void) throws {
        let stamp = FileStamp(path)
        let loss = losses.look(path, stamp, isDeleted: followed[path]?.reader.file.isDeleted ?? false)
        var isCutAndGrown = false
        if let old = followed[path], isSame(old.reader.file, path) {
            isCutAndGrown = try old.reader.file.head(old.head.count) != old.head
            if !isCutAndGrown {
                try note(loss, of: old.reader, writer)
                return
            }
        }
        if let resting = resting[path], resting == stamp { return }
        guard followed.count < Watch.openLimit || followed[path] != nil else { return }
        guard let file = open(path, tell: tell), let profile = try profile(file, tell: tell) else { return }
        let fingerprint = profile.identity.fingerprint(FileIdentity.headLength)
        // A copy of what is being read comes after it, so that it is known what it may count: nothing that can still be read
        // of the original, which may be cut right after.
        let originals = followed.values.filter { $0.fingerprint == fingerprint }
        guard originals.allSatisfy(\.hasReachedEnd) else { return }
        for original in originals where !original.isDone && !original.reader.file.isArchive {
            while try original.reader.step() {}
        }
        // What stands where reading was is no longer what came there.
        try close(path, writer, readsRest: !isCutAndGrown)
        // What a copy of another file may count goes by what is stored of that.
        try commit(writer, all: true)
        let state = try store.open(profile.identity)
        if SourceReader.isKnown(file, state) {
            resting[path] = stamp
            return
        }
        let reader = SourceReader(
            file: file, format: profile.format, about: profile.facts, state: state, catalogue: catalogue.events)
        try note(loss, of: reader, writer)
        losses.wake(path)
        followed[path] = Followed(
            reader: reader, quietSince: Date(), stamp: stamp, head: profile.identity.head, fingerprint: fingerprint,
            folder: URL(fileURLWithPath: path).resolvingSymlinksInPath().deletingLastPathComponent().path)
        resting[path] = nil
        tell("reading \(Shown.text(path)) from byte \(state.position)")
    }

    /// What an open file is; nil for what is no log.
    private func profile(_ file: LogFile, tell: (String) -> Void) throws -> SourceProfile? {
        guard file.isRegular else { return nil }
        do {
            let head = try file.head(LogFormat.sniffLength)
            return SourceProfile(file, head: head, format: nil, configuration: configuration)
        } catch let problem as SourceProblem {
            complain(problem, of: file.path, tell: tell)
            return nil
        }
    }

    /// The file, or nil when it cannot be opened now; that is said once.
    private func open(_ path: String, tell: (String) -> Void) -> LogFile? {
        do {
            let file = try LogFile(path: path)
            if !file.isArchive { unreadable.remove(path) }
            return file
        } catch {
            complain(error, of: path, tell: tell)
            return nil
        }
    }

    /// Says once what is wrong with a path.
    private func complain(_ problem: any Error, of path: String, tell: (String) -> Void) {
        if unreadable.count < 10_000, unreadable.insert(path).inserted { tell("cannot read \(problem)") }
    }

    /// True when the path still leads to the open file and that was not cut.
    private func isSame(_ file: LogFile, _ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return true }
        return Int64(bitPattern: UInt64(status.st_ino)) == file.inode
            && Int64(bitPattern: UInt64(status.st_dev)) == file.device
            && (file.isArchive || Int64(status.st_size) >= file.offset)
    }

    /// Reads what is new in every file, a fair share at a time, and commits it.
    private func read(_ writer: StoreWriter, _ keeper: StoreKeeper, tell: (String) -> Void) throws {
        var isMore = true
        while isMore {
            isMore = false
            for path in followed.keys.sorted() { isMore = try advance(path) || isMore }
            try commit(writer)
            for message in try keeper.turn() { tell(message) }
            if isMore, let line = warnings.isBehind(backlog: { backlog }) { tell(line) }
            for (path, entry) in followed where entry.isDone {
                if let problem = entry.problem {
                    complain(problem, of: path, tell: tell)
                } else {
                    unreadable.remove(path)
                }
                try close(path, writer)
                // What it has become since is looked at again.
                resting[path] = entry.stamp
            }
        }
        if let line = warnings.caughtUp() { tell(line) }
    }

    /// Bytes on the disk that open files still hold.
    private var backlog: Int64 {
        followed.reduce(0) { $0 + max(0, (FileStamp($1.key)?.size ?? 0) - $1.value.reader.consumed) }
    }

    /// Closes files that have been read to their end and are quiet.
    private func rest(_ store: Store, _ writer: StoreWriter) throws {
        for (path, entry) in followed where entry.isSettled && !entry.reader.hasNews {
            let quiet = max(Date().timeIntervalSince(entry.quietSince), entry.reader.file.age ?? 0)
            guard quiet > Watch.restAfter else { continue }
            // A path that is gone, or leads elsewhere by now, is found again by looking.
            if let stamp = FileStamp(path), stamp.size <= entry.reader.file.offset { resting[path] = stamp }
            losses.rest(path, entry.reader.silence(at: .distantFuture))
            followed[path] = nil
        }
        let notes = try losses.due { try store.hasCopy(ofSource: $0.source) }
        if !notes.isEmpty { try writer.commit(notes: notes) }
    }

    /// Reads up to 8 MB of a file; true when there is more.
    private func advance(_ path: String) throws -> Bool {
        guard var entry = followed[path], !entry.isDone else { return false }
        let before = entry.reader.bytesRead
        defer {
            followed[path] = entry
            turnBytes += entry.reader.bytesRead - before
        }
        for _ in 0..<32 {
            let isRead: Bool
            do { isRead = try entry.reader.step() } catch let problem as SourceProblem where entry.reader.file.isArchive
            {
                isRead = false
                entry.problem = problem
            }
            guard isRead else {
                entry.hasReachedEnd = true
                if entry.reader.file.isArchive {
                    entry.reader.finish(isWhole: entry.problem == nil)
                    entry.isDone = true
                    return false
                }
                let quiet = max(Date().timeIntervalSince(entry.quietSince), entry.reader.file.age ?? 0)
                if !entry.isSettled, quiet * 1000 >= Double(Watch.delay) {
                    entry.reader.settle()
                    entry.isSettled = true
                }
                return false
            }
            entry.quietSince = Date()
            entry.isSettled = false
            if entry.reader.eventCount >= 4096 { return true }
        }
        return true
    }

    /// Ends following a file; `readsRest` takes what is still unread of one that is replaced by another.
    private func close(_ path: String, _ writer: StoreWriter, readsRest: Bool = false) throws {
        guard let entry = followed[path] else { return }
        if !entry.isDone {
            while readsRest, !entry.reader.file.isArchive, try entry.reader.step() {}
            entry.reader.finish(isWhole: false)
        }
        try commit([(path, entry.reader)], writer)
        followed[path] = nil
    }

    /// Commits what was read; `all` takes what is no event, too.
    private func commit(_ writer: StoreWriter, all: Bool = false) throws {
        var news: [(path: String, reader: SourceReader)] = []
        for path in followed.keys.sorted() {
            guard let reader = followed[path]?.reader, reader.hasNews,
                all || reader.hasFindings || ContinuousClock.now - reader.takenAt >= Watch.commitAfter
            else { continue }
            news.append((path, reader))
        }
        if !news.isEmpty { try commit(news, writer) }
    }

    private func detect(_ store: Store, _ pass: DetectionPass, tell: (String) -> Void) throws {
        let busy = followed.values.filter { !$0.isSettled }.map(\.reader.now)
        var moment = busy.min().map { $0.adding(milliseconds: -Watch.delay) } ?? .distantFuture
        // With every source read and quiet, it is the clock that says how long nothing has happened.
        var now = moment == .distantFuture ? LogTime.wallClock : nil
        if let horizon = followers.compactMap(\.horizon).min().map({ $0.adding(milliseconds: -Watch.delay) }) {
            moment = min(moment, horizon)
            if now != nil { now = horizon }
        }
        meter.turn(.rules)
        let start = ContinuousClock.now
        let found = try pass.run(through: moment, now: now)
        meter.note(alerts: found.alerts, bans: found.bans, seconds: (ContinuousClock.now - start) / .seconds(1))
        for alert in found.alerts {
            tell("alert \(alert.severity.rawValue) \(alert.time) \(alert.message) [\(alert.rule.id)]")
        }
        for ban in found.bans { tell("ban (\(ban.mode.rawValue)) \(ban.cidr) until \(ban.end): \(ban.reason)") }
    }

    // MARK: - What is counted

    /// Keeps how often expressions gave up; says it once of each.
    private func note(_ news: [GiveUp], _ store: Store, tell: (String) -> Void) throws {
        guard !news.isEmpty else { return }
        try store.note(giveUps: news.map { ($0.pattern, $0.count) }, at: .wallClock)
        meter.note { counts in for giveUp in news { counts.giveUps[giveUp.pattern, default: 0] += giveUp.count } }
        for giveUp in news where toldGiveUps.insert(giveUp.pattern).inserted {
            tell(
                "pattern \(Shown.text(giveUp.pattern)) gave up on a text: its expression costs too much there and was taken "
                    + "not to match; pgvigil status counts them")
        }
    }

    /// The files of all paths, and by which of these each is found.
    private func expand() -> [InputPath] {
        origins = [:]
        let own = StoreFiles(storePath)
        return paths.flatMap { path -> [InputPath] in
            let inputs = ((try? InputPaths.expand([path])) ?? []).filter { !own.contains($0.path) }
            for input in inputs where origins[input.path] == nil { origins[input.path] = path }
            // A folder that is there may be empty still.
            let isUp =
                inputs.isEmpty ? access(path, R_OK) == 0 : inputs.contains { !unreadable.contains($0.path) }
            meter.note { $0.sources[path, default: .init()].isUp = isUp }
            return inputs
        }
    }

    /// The name under which a file is counted. One that is gone by now belongs to the path that holds it.
    private func source(of path: String) -> String {
        origins[path] ?? paths.first { path.hasPrefix($0 + "/") || fnmatch($0, path, 0) == 0 } ?? paths.first ?? path
    }

    private func commit(_ news: [(path: String, reader: SourceReader)], _ writer: StoreWriter) throws {
        let ingests = try news.map { try $0.reader.takeIngest() }
        let result = try writer.commit(ingests)
        for (ingest, (path, _)) in zip(ingests, news) { warnings.note(ingest.unread, of: path) }
        meter.note(
            ingests, sources: news.map { source(of: $0.path) }, bytes: news.map { $0.reader.takeBytes() },
            result: result)
        turn()
    }

    /// Says where reading is; now and then what rules hold, too.
    private func turn(_ pass: DetectionPass? = nil) {
        meter.turn(.reading)
        notifier.live()
        let files = followed.map { path, entry in
            WatchMeter.OpenFile(
                source: source(of: path), path: path, consumed: entry.reader.consumed, lastRecord: entry.reader.now)
        }
        meter.note { $0.files = files }
        guard let pass, Date().timeIntervalSince(rulesMeteredAt) >= 5 else { return }
        rulesMeteredAt = Date()
        meter.note(rules: pass.states)
        notifier.tell(.status("reads \(followed.count) files; \(resting.count) more are quiet"))
    }
}
