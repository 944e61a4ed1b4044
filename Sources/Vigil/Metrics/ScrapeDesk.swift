import EventStore
import Foundation
import HTTPListener
import Synchronization
import VigilModel

/// Answers those who ask `watch` how it goes, and keeps the file of metrics, on threads of its own: the reading waits for
/// nobody. It outlives a new configuration, so that a port is not closed and opened for nothing.
public final class ScrapeDesk: Sendable {
    private struct State {
        var server: HTTPServer?
        var figures: StoreFigures?
        var metricsFile: String?
        var isStopped = false
        var fileProblem: String?
    }

    private let meter: WatchMeter
    private let door: VectorDoor
    private let page = BlockListPage()
    private let state = Mutex(State())
    private let tell: @Sendable (String) -> Void

    /// Takes what is counted, and who is told of problems.
    public init(
        _ meter: WatchMeter, door: VectorDoor = VectorDoor(), tell: @escaping @Sendable (String) -> Void
    ) {
        self.meter = meter
        self.door = door
        self.tell = tell
        Thread.detachNewThread { [self] in
            var written: ContinuousClock.Instant?
            while !state.withLock({ $0.isStopped }) {
                // What is not known before logs are followed is not written as if it were nothing.
                if meter.snapshot.isRunning, written.map({ .now - $0 >= MetricsFile.interval }) ?? true {
                    written = .now
                    writeFile()
                }
                Thread.sleep(forTimeInterval: 0.5)
            }
        }
    }

    /// Answers by a configuration from now on. Throws when its port cannot be had, or its token not be read: then all is
    /// as before.
    public func apply(_ configuration: Configuration, store: String) throws {
        let token = try configuration.listen?.bearerToken()
        let figures = StoreFigures(path: store, configuration: configuration)
        let old = state.withLock { $0.server }
        var server = old
        if configuration.listen?.address != old?.requested {
            server = try configuration.listen.map { try HTTPServer($0.address) }
            server?.start()
        }
        // Who may post rows may forge them: beyond this machine only with a token.
        let takesRows = configuration.ingest != nil && (token != nil || server?.address.isLocal ?? false)
        server?.serve(routes(isGuarded: token != nil) + (takesRows ? [door.route] : []), token: token)
        state.withLock { state in
            state.figures = figures
            state.metricsFile = configuration.metricsFile
            state.server = server
        }
        if let old, old !== server { old.stop() }
        if let server, server !== old {
            tell("listening on \(server.address)")
        }
        if let server, configuration.ingest != nil, !takesRows {
            tell("rows are not taken on \(server.address) without a token: set token_file under `listen`")
        }
        if let server, !server.address.isLocal, token == nil {
            tell(
                "anybody who reaches \(server.address) can read metrics and block lists: set token_file under `listen`")
        }
    }

    /// The store of the watch that runs; nil when that ends: it must have let go of it before another opens it.
    func use(_ store: Store?) { state.withLock { $0.figures }?.use(store) }

    /// Closes the port. What was written last stays.
    public func stop() {
        let server = state.withLock { state in
            state.isStopped = true
            defer { state.server = nil }
            return state.server
        }
        server?.stop()
    }

    private func routes(isGuarded: Bool) -> [HTTPRoute] {
        [
            HTTPRoute("GET", "/metrics") { [self] in metrics($0) },
            HTTPRoute("GET", "/healthz", isOpen: true) { [meter] _ in
                HealthReport.answer(HealthReport(meter.snapshot).alive, isTrusted: !isGuarded)
            },
            HTTPRoute("GET", "/readyz", isOpen: true) { [self] _ in
                let path = state.withLock { $0.figures?.path } ?? ""
                return HealthReport.answer(HealthReport(meter.snapshot).ready(store: path), isTrusted: !isGuarded)
            },
            HTTPRoute("GET", "/blocklist/*") { [self] request in
                guard let figures = state.withLock({ $0.figures }) else { return HTTPAnswer(503) }
                return page.answer(request, figures)
            },
        ]
    }

    private func metrics(_ request: HTTPRequest) -> HTTPAnswer {
        guard let figures = state.withLock({ $0.figures }) else { return HTTPAnswer(503) }
        let form = MetricText.Form(accept: request.headers["accept"])
        let families = WatchMetrics(meter.snapshot, figures).families
        return HTTPAnswer(200, type: form.type, text: MetricText.render(families, form))
    }

    private func writeFile() {
        let (path, figures, known) = state.withLock { ($0.metricsFile, $0.figures, $0.fileProblem) }
        guard let path, let figures else { return }
        var problem: String?
        do {
            try MetricsFile.write(WatchMetrics(meter.snapshot, figures).families, to: path)
        } catch { problem = "\(error)" }
        if let problem, problem != known { tell("the file of metrics is not written: \(problem)") }
        state.withLock { $0.fileProblem = problem }
    }
}
