import FleetConfig
public import FleetPluginAPI
import FleetStore

extension Coordinator {
    /// Plans the restore of a whole set: to the mark that is named, or to the newest one at or before a time that every
    /// member can be restored to.
    ///
    /// - Throws: `refused` that says of each mark that was tried why not.
    public func planSetRestore(
        _ name: String, target: RecoveryTarget, _ manner: RestoreTerms
    ) async throws -> Plan {
        let set = try RestoreSet(name, in: inventory)
        let marks = try await marks(of: name, limit: 1000)
        let (candidates, asked) = try candidates(marks, target, set)
        var reasons: [String] = []
        for mark in candidates.prefix(Self.triedMarks) {
            let input = RestoreInput(
                instances: set.declared.members, target: TargetRequest(target: .mark(mark.name)),
                into: manner.into, wayBack: manner.wayBack, options: manner.options,
                set: SetPlan(
                    name: name, mark: mark, distance: asked.map { $0 - mark.moment },
                    alternatives: candidates.map(\.name).filter { $0 != mark.name }.prefix(5).map { $0 },
                    invariants: set.declared.invariants))
            do {
                var plan = try await planRestore(input)
                plan.warnings += reasons.map { "not used: \($0)" } + warnings(mark, set)
                return plan
            } catch let error as FleetError where error.code == .refused {
                reasons.append("\(mark.name): \(error.message)")
            }
        }
        let nothing = asked == nil ? "it has no usable mark" : "it has no usable mark at or before that time"
        throw FleetError(
            .refused, "the restore set \(name) cannot be restored to \(asked.map { "\($0)" } ?? "\(target)")",
            cause: reasons.isEmpty ? nothing : reasons.joined(separator: "; "),
            hint: "see: fleet mark list --set \(name)"
                + (reasons.isEmpty ? "; make one with: fleet mark create --set \(name)" : "")
                + (asked == nil
                    ? ""
                    : ", or look for a cut at which its invariants hold: --search, or restore each member to that time "
                        + "by its own clock, which is not consistent: --approximate"))
    }

    /// Plans the restore of each member of a set to one time by its own clock: where no mark serves, and never consistent.
    ///
    /// - Throws: `refused` where a member's clock is not known well enough.
    public func planApproximateRestore(
        _ name: String, target: RecoveryTarget, _ manner: RestoreTerms
    ) async throws -> Plan {
        let set = try RestoreSet(name, in: inventory)
        let time = try time(of: target, for: "--approximate restores to a time")
        let clocks = try await memberClocks(of: set)
        var offsets: [String: ClockOffset] = [:]
        for member in set.members { offsets[member.name] = try clocks.offset(of: member.name, at: time) }
        let approximation = SetPlan.Approximation(time: time, offsets: offsets)
        guard approximation.residual <= set.declared.clockTolerance else {
            throw FleetError(
                .refused, "the members of \(name) could be \(DurationText.text(approximation.residual)) apart",
                cause: "their clocks are known so well at \(time), and clockTolerance is "
                    + DurationText.text(set.declared.clockTolerance),
                hint: "clocks are looked at with each mark: make marks more often; or raise clockTolerance: of the set")
        }
        var input = RestoreInput(
            instances: set.declared.members, target: TargetRequest(target: .time(time)), into: manner.into,
            wayBack: manner.wayBack, options: manner.options,
            set: SetPlan(
                name: name, mark: nil, approximation: approximation, distance: nil, alternatives: [],
                invariants: set.declared.invariants))
        for (member, offset) in offsets {
            input.targets[member] = TargetRequest(target: .time(time + .microseconds(offset.ahead)))
        }
        var plan = try await planRestore(input)
        plan.warnings += [
            "approximate: the members are within \(DurationText.text(approximation.residual)) of each other and not "
                + "consistent; what happened in that time may be there on one and not on another"
        ]
        return plan
    }

    /// - Parameter purpose: what asks for a time, as the beginning of a sentence.
    /// - Throws: `usage` where it is none.
    func time(of target: RecoveryTarget, for purpose: String) throws -> Timestamp {
        switch target {
        case .time(let moment): moment
        case .ago(let duration): now - duration
        default: throw FleetError(.usage, "\(purpose), and \(target) is none", hint: "write a time, or -15m")
        }
    }

    /// What is known of the members' clocks: from marks, and from those that answer now.
    func memberClocks(of set: RestoreSet) async throws -> ClockOffsets {
        var clocks = ClockOffsets(try await store.marks(of: set.name, limit: 1000))
        for member in set.members {
            // A server that is down is known by its marks alone.
            guard let team = try? await FenceTeam.open([member], inventory, servers, now: clock) else { continue }
            await team.close()
            if let interval = team.clocks[member.name] { clocks.add(member.name, interval, at: now) }
        }
        return clocks
    }

    /// How many marks are tried before it is given up.
    private static let triedMarks = 10

    /// Marks that may serve, the best first, and the time that was asked for.
    private func candidates(
        _ marks: [MarkRecord], _ target: RecoveryTarget, _ set: RestoreSet
    ) throws -> ([MarkRecord], Timestamp?) {
        let usable = marks.filter {
            $0.state == .archived && Set($0.members.map(\.instance)) == Set(set.declared.members)
        }
        // What says nothing about what belongs together is not chosen by itself.
        let consistent = usable.filter { $0.kind != .loose }.sorted { $0.moment > $1.moment }
        switch target {
        case .mark(let name):
            guard let mark = marks.first(where: { $0.name == name }) else {
                throw FleetError(
                    .notFound, "the restore set \(set.name) has no mark \(name)",
                    hint: "see: fleet mark list --set \(set.name)")
            }
            guard usable.contains(mark) else {
                throw FleetError(
                    .refused, "the mark \(name) cannot be restored to",
                    cause: mark.error?.message ?? "it is \(mark.state)",
                    hint: "see: fleet mark list --set \(set.name)")
            }
            return ([mark], nil)
        case .latest: return (consistent, nil)
        case .time(let time): return (consistent.filter { $0.moment <= time }, time)
        case .ago(let duration):
            let time = now - duration
            return (consistent.filter { $0.moment <= time }, time)
        case .lsn, .xid, .name, .immediate:
            throw FleetError(
                .usage, "a restore set is restored to a mark, and \(target) is of one instance",
                hint: "write mark:NAME, latest, or a time: then the newest mark before it is chosen")
        }
    }

    private func warnings(_ mark: MarkRecord, _ set: RestoreSet) -> [String] {
        var warnings: [String] = []
        switch mark.kind {
        case .fenced: break
        case .ordered:
            warnings.append(
                "\(mark.name) is ordered: no effect is without its cause where writes go \(set.declared.members.joined(separator: " → ")); "
                    + "what spans members in one transaction may be halved")
        case .loose:
            warnings.append(
                "\(mark.name) is loose: the members are aligned to \(mark.skew.map(DurationText.text) ?? "an unknown time") "
                    + "of each other and not consistent")
        }
        let prepared = mark.members.filter { $0.preparedTransactions > 0 }
        if !prepared.isEmpty {
            warnings.append(
                "prepared transactions were open on \(prepared.map(\.instance).joined(separator: ", ")) when the mark "
                    + "was made: their managers must finish them")
        }
        if set.declared.invariants.isEmpty {
            warnings.append("no invariants are declared for \(set.name): nothing checks that its members agree")
        }
        return warnings
    }
}

extension MarkRecord {
    /// When it was certainly made.
    var moment: Timestamp { createdAt + (members.map(\.acknowledged).max() ?? .zero) }
}
