import Foundation
import Testing
import VigilModel

@testable import Vigil

/// What is packaged asks only for metrics that there are.
@Suite("Metrics: names")
struct MetricNamesTests {
    private static let packaging = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../packaging").standardizedFileURL

    private static let families = WatchMetrics(
        WatchMeter().snapshot, StoreFigures(path: "/nowhere.db", configuration: Configuration())
    ).families

    /// Names in an expression that could be metrics of ours.
    private static func names(in expression: String) -> Set<String> {
        Set(expression.matches(of: #/\b(pgvigil|process)_[a-z_]+/#).map { String($0.output.0) })
    }

    private static func isKnown(_ name: String) -> Bool {
        families.contains { family in
            family.name == name
                || family.kind == .histogram && ["_bucket", "_sum", "_count"].contains { family.name + $0 == name }
        }
    }

    @Test("families follow the rules for names, each is there once and told about")
    func families() {
        let names = MetricNamesTests.families.map(\.name)
        #expect(Set(names).count == names.count)
        for family in MetricNamesTests.families {
            #expect(family.name.wholeMatch(of: #/(pgvigil|process)_[a-z_]+/#) != nil)
            #expect((family.kind == .counter) == family.name.hasSuffix("_total"), "\(family.name)")
            #expect(family.help.hasSuffix("."), "\(family.name)")
        }
    }

    @Test("the dashboard is of Pigsty's kind, and each of its expressions asks for a metric that there is")
    func dashboard() throws {
        let bytes = try Data(contentsOf: MetricNamesTests.packaging.appending(path: "grafana/pgvigil.json"))
        let board = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        #expect(board["uid"] as? String == "pgvigil-overview")
        #expect(board["schemaVersion"] as? Int == 42)
        #expect((board["tags"] as? [String])?.contains("Pigsty") == true)
        let variables = ((board["templating"] as? [String: Any])?["list"] as? [[String: Any]] ?? [])
        #expect(variables.compactMap { $0["name"] as? String } == ["cls", "ins", "search"])
        let panels = try #require(board["panels"] as? [[String: Any]])
        #expect(Set(panels.compactMap { $0["id"] as? Int }).count == panels.count)
        var used: Set<String> = []
        for panel in panels where panel["type"] as? String != "row" {
            let title = panel["title"] as? String ?? "?"
            let targets = try #require(panel["targets"] as? [[String: Any]])
            for target in targets {
                let expression = try #require(target["expr"] as? String)
                let source = (target["datasource"] as? [String: Any])?["uid"] as? String
                #expect(["ds-prometheus", "ds-vlogs"].contains(source ?? ""), "\(title)")
                guard source == "ds-prometheus" else { continue }
                let names = MetricNamesTests.names(in: expression)
                #expect(!names.isEmpty && names.allSatisfy(MetricNamesTests.isKnown), "\(title): \(expression)")
                used.formUnion(names)
            }
        }
        for variable in variables {
            let names = MetricNamesTests.names(in: variable["definition"] as? String ?? "")
            #expect(names.allSatisfy(MetricNamesTests.isKnown))
        }
        #expect(used.count > 20)
    }

    @Test("alert rules ask for metrics that there are") func rules() throws {
        let text = try String(
            contentsOf: MetricNamesTests.packaging.appending(path: "prometheus/pgvigil.yml"), encoding: .utf8)
        let names = MetricNamesTests.names(in: text)
        #expect(names.count > 10)
        for name in names { #expect(MetricNamesTests.isKnown(name), "\(name)") }
    }

    @Test("docs/metrics.md tells of every family, and of no other") func documentation() throws {
        let text = try String(
            contentsOf: MetricNamesTests.packaging.appending(path: "../docs/metrics.md"), encoding: .utf8)
        let told = MetricNamesTests.names(in: text)
        for family in MetricNamesTests.families { #expect(told.contains(family.name), "\(family.name)") }
        for name in told { #expect(MetricNamesTests.isKnown(name), "\(name)") }
    }
}
