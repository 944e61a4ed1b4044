import Patterns
import VigilModel

extension RecordCondition {
    /// False when no record can be both conditions', as far as that is easily told.
    func mayOverlap(_ other: RecordCondition) -> Bool {
        dataset == other.dataset && RecordCondition.meet(states, other.states)
            && RecordCondition.meet(severities, other.severities)
            && RecordCondition.meet(commandTags, other.commandTags)
            && RecordCondition.meet(backendTypes, other.backendTypes)
            && RecordCondition.meet(messages, other.messages)
            && RecordCondition.meet(messagesAboutUser, other.messagesAboutUser, aboutUser: true)
            && RecordCondition.meet(detailsAboutUser, other.detailsAboutUser, aboutUser: true)
            && RecordCondition.meet(expressions, other.expressions)
            && RecordCondition.meet(messages, other.messagesAboutUser)
            && RecordCondition.meet(messagesAboutUser, other.messages)
    }

    /// True when every record of another condition is this one's, too.
    func holdsAll(of other: RecordCondition) -> Bool {
        func covers(_ mine: WordSet, _ theirs: WordSet) -> Bool {
            mine.isEmpty || (!theirs.isEmpty && Set(theirs.texts).isSubset(of: mine.texts))
        }
        return dataset == other.dataset && messages.isEmpty && expressions.isEmpty && about == nil
            && messagesAboutUser.isEmpty && detailsAboutUser.isEmpty && Set(absent).isSubset(of: other.absent)
            && (states.isEmpty || (!other.states.isEmpty && other.states.allSatisfy { self.covers(state: $0) }))
            && covers(severities, other.severities) && covers(commandTags, other.commandTags)
            && covers(backendTypes, other.backendTypes)
    }

    /// False when expressions about one column ask for different beginnings.
    private static func meet(
        _ one: [(column: LogColumn, regex: Regex)], _ other: [(column: LogColumn, regex: Regex)]
    ) -> Bool {
        for (column, regex) in one {
            for (otherColumn, otherRegex) in other where column == otherColumn {
                let (mine, theirs) = (PortableRegex.heads(regex.source), PortableRegex.heads(otherRegex.source))
                if !mine.contains(where: { head in theirs.contains { $0.hasPrefix(head) || head.hasPrefix($0) } }) {
                    return false
                }
            }
        }
        return true
    }

    private static func meet(_ one: [String], _ other: [String]) -> Bool {
        one.isEmpty || other.isEmpty
            || one.contains { mine in other.contains { $0.hasPrefix(mine) || mine.hasPrefix($0) } }
    }

    private static func meet(_ one: WordSet, _ other: WordSet) -> Bool {
        one.isEmpty || other.isEmpty || !Set(one.texts).isDisjoint(with: other.texts)
    }

    private static func meet(
        _ one: [MessageTemplate], _ other: [MessageTemplate], aboutUser: Bool = false
    ) -> Bool {
        one.isEmpty || other.isEmpty
            || one.contains { mine in other.contains { mine.mayBe($0, aboutUser: aboutUser) } }
    }
}

extension MessageTemplate {
    /// False when no text can be both. `aboutUser`: both have the same name in their one blank.
    fileprivate func mayBe(_ other: MessageTemplate, aboutUser: Bool) -> Bool {
        let (mine, theirs) = (texts, other.texts)
        guard mine[0].hasPrefix(theirs[0]) || theirs[0].hasPrefix(mine[0]) else { return false }
        guard mine.count > 1, theirs.count > 1 else { return mine.count != theirs.count || mine == theirs }
        if aboutUser, mine[0] == theirs[0] { return mine[1].hasPrefix(theirs[1]) || theirs[1].hasPrefix(mine[1]) }
        let (end, otherEnd) = (mine[mine.count - 1], theirs[theirs.count - 1])
        return end.hasSuffix(otherEnd) || otherEnd.hasSuffix(end)
    }
}
