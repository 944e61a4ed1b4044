import ArgumentParser
import Foundation
import Vigil
import VigilModel

/// Follows logs.
struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Follow logs until stopped (SIGTERM or Ctrl-C).",
        discussion: """
            A file seen for the first time is read from its start; after a restart reading goes on where it was.
            SIGHUP reads the configuration again; one that is wrong leaves the old one in force.
            Once an hour what has had its time goes (`retention` in the configuration), and the head of the store's chain \
            goes to the log, which `pgvigil verify --heads` takes.
            With --listen it answers /metrics, /healthz, /readyz and /blocklist/FORMAT over HTTP (docs/metrics.md), and \
            takes rows from Vector (docs/victorialogs.md); a port alone is reached from this machine only.

              pgvigil watch                         every log of a Pigsty or Debian node
              pgvigil watch /pg/log/postgres
              pgvigil watch --from victorialogs://infra-1:9428 --store /var/lib/pgvigil/fleet.db
              pgvigil watch --store /var/lib/pgvigil/pgvigil.db '/pg/log/postgres/*.csv'
              pgvigil watch --listen 9655 /pg/log/postgres
            """)

    @OptionGroup var common: CommonOptions

    @OptionGroup var fleet: FleetOptions

    @Argument(
        help: .init(
            "Log files, folders or patterns; default: `sources` of the configuration, else the logs of this node.",
            valueName: "path"),
        completion: .file())
    var paths: [String] = []

    @Option(
        help: .init(
            "Answer over HTTP; 9655 is 127.0.0.1:9655. Default: `listen` of the configuration, else nowhere.",
            valueName: "addr:port"))
    var listen: String?

    @Option(
        help: .init(
            "Keep a file of metrics for node_exporter (*.prom). Default: `metrics_file` of the configuration.",
            valueName: "file"), completion: .file(extensions: ["prom"]))
    var metricsFile: String?

    func validate() throws {
        try fleet.check()
        if let listen, ListenConfiguration(listen) == nil {
            throw ValidationError("--listen \(listen): \(ListenConfiguration.hint).")
        }
        if let metricsFile, !metricsFile.hasSuffix(".prom") {
            throw ValidationError("--metrics-file: node_exporter reads files named *.prom only.")
        }
    }

    func run() throws {
        try reporting {
            let meter = WatchMeter()
            let door = VectorDoor()
            let desk = ScrapeDesk(meter, door: door) { Talk.say($0) }
            defer { desk.stop() }
            var settings = try load()
            // What is wrong with the catalogue, or with what to follow, comes before a port is opened.
            var current = try watch(settings, meter, door)
            try desk.apply(settings, store: common.storePath(settings))
            while try current.run(scrapes: desk, tell: { Talk.say($0) }) {
                do {
                    let changed = try load()
                    let next = try watch(changed, meter, door)
                    try desk.apply(changed, store: common.storePath(changed))
                    (settings, current) = (changed, next)
                    meter.noteReload(isGood: true)
                } catch {
                    Talk.say("the configuration stays as it was: \(error)")
                    meter.noteReload(isGood: false)
                    current = try watch(settings, meter, door)
                }
            }
        }
    }

    /// The configuration with what the command line says.
    private func load() throws -> Configuration {
        var settings = try common.load()
        if let listen { settings.listen(on: listen) }
        if let metricsFile { settings.metricsFile = metricsFile }
        return settings
    }

    private func watch(_ settings: Configuration, _ meter: WatchMeter, _ door: VectorDoor) throws -> Watch {
        do {
            return try Watch(
                paths: paths, from: try fleet.sources(settings), store: common.storePath(settings),
                configuration: settings, meter: meter, door: door)
        } catch let problem as WatchProblem { throw Failure(problem, code: 2) }
    }
}
