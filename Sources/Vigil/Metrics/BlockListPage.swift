import Foundation
import HTTPListener
import Responses
import Synchronization
import VigilModel

/// `/blocklist/{format}`: what `blocklist --format` prints, for machines that pull.
///
/// Whoever pulls a list enforces it. So while `bans.mode` is `observe` it is empty, unless the one who asks says that he
/// knows (`?mode=observe`). When the store cannot be read there is no list at all: an empty one would free everybody.
final class BlockListPage: Sendable {
    private let states = Mutex<[String: (tag: EntityTag, since: Int)]>([:])

    /// Forms that are files. Commands for a shell or a socket are not: nobody should run what he pulls.
    static let formats = BlockListFormat.allCases.filter { $0 != .ufw && $0 != .haproxyRuntime }

    func answer(_ request: HTTPRequest, _ store: StoreFigures) -> HTTPAnswer {
        guard let format = BlockListPage.formats.first(where: { $0.rawValue == request.parameter }) else {
            let known = BlockListPage.formats.map(\.rawValue).joined(separator: " ")
            return HTTPAnswer(404, text: "no such form; known here: \(known)\n")
        }
        let asked = request.query["mode"]
        guard asked == nil || asked == "observe" || asked == "enforce" else {
            return HTTPAnswer(400, text: "mode is observe or enforce\n")
        }
        let list: BlockList
        let pause: BanAct?
        do { (list, pause) = try store.blockList() } catch {
            var answer = HTTPAnswer(503, text: "the store cannot be read now; keep the list that you have\n")
            answer.headers.append(("Retry-After", "10"))
            return answer
        }
        let mode = store.policy.mode
        let isShown = mode == .enforce || asked == "observe"
        let shown = isShown ? list : BlockList(bans: [], moment: list.moment)
        let bytes = Array(format.render(shown, store.listOptions).utf8)
        let tag = EntityTag(Fingerprint.sha256(bytes))
        let modified = HTTPDate.text(since(tag, of: "\(format.rawValue) \(isShown)", at: list.moment))
        var answer = HTTPAnswer(
            200,
            headers: [
                ("Content-Type", BlockListPage.type(of: format)), ("ETag", "\(tag)"), ("Last-Modified", modified),
                // Kept by whoever likes, but asked about each time.
                ("Cache-Control", "no-cache"), ("Pgvigil-Mode", mode.rawValue),
                ("Pgvigil-Bans", "\(shown.bans.count)"),
            ], body: bytes)
        if pause != nil { answer.headers.append(("Pgvigil-Paused", "true")) }
        if !isShown { answer.headers.append(("Pgvigil-Note", "observe: the list is empty; ?mode=observe shows it")) }
        let isKnown =
            request.headers["if-none-match"] != nil
            ? tag.isKnown(to: request) : request.headers["if-modified-since"] == modified
        if isKnown {
            answer.status = 304
            answer.body = []
        }
        return answer
    }

    /// Since when a list has been as it is, as far as this process knows: in seconds since 1970.
    private func since(_ tag: EntityTag, of key: String, at moment: LogTime) -> Int {
        states.withLock { states in
            if let known = states[key], known.tag == tag { return known.since }
            let now = Int(moment.milliseconds / 1000)
            states[key] = (tag, now)
            return now
        }
    }

    private static func type(of format: BlockListFormat) -> String {
        switch format {
        case .json: "application/json"
        case .firewalld4, .firewalld6: "application/xml; charset=utf-8"
        default: "text/plain; charset=utf-8"
        }
    }
}
