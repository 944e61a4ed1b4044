import Deliveries
import EventStore
import Foundation
import HTTPTransport
import VigilModel

extension SinkConfiguration {
    /// The sink itself. `store` and its number there tell an Alertmanager's what it was telling before.
    func make(
        store: Store?, number: Int64, addresses: [String: String] = [:], cancellation: HTTPClient.Cancellation
    ) throws -> any Sink {
        let host = ProcessInfo.processInfo.hostName
        switch kind {
        case .alertmanager(let endpoints, let options):
            let now = LogTime.wallClock
            let firing = try store?.firing(
                of: number, endedAfter: now.adding(milliseconds: -AlertmanagerSink.afterglow))
            return AlertmanagerSink(
                endpoints, options, host: host, addresses: addresses, firing: firing ?? [],
                cancellation: cancellation)
        case .victoriaLogs(let endpoint, let options):
            return VictoriaLogsSink(endpoint, options, cancellation: cancellation)
        case .webhook(let endpoint): return WebhookSink(endpoint, sender: host, cancellation: cancellation)
        case .file(let options): return FileSink(options)
        }
    }
}
