import FleetPluginAPI

extension StepKind {
    /// Who makes a step of this kind true.
    var performer: any StepPerformer {
        switch self {
        case .announce: Announce(event: .runStarted)
        case .quiesce: Quiesce()
        case .disconnect: Disconnect()
        case .secure: Secure()
        case .reach: Reach()
        case .stop: Stop()
        case .setAside: SetAside()
        case .putBack: PutBack()
        case .makeScratch: MakeScratch()
        case .removeScratch: RemoveScratch()
        case .restore: Restore()
        case .start: Start()
        case .recover: Recover()
        case .verify: Verify()
        case .search: Search()
        case .agree: Agree()
        case .promote: Promote()
        case .mask: Mask()
        case .inspect: Inspect()
        case .reconcile: Reconcile()
        case .epoch: Epoch()
        case .settle: Settle()
        case .resume: Resume()
        case .probe: ProbeApplication()
        case .backup: Backup()
        case .soak: Soak()
        case .approve: Approve()
        case .conclude: Announce(event: .runFinished)
        }
    }
}
