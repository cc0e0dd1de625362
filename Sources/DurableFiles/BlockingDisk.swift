/// Files and directories, durably, with calls that block.
///
/// For code that runs on threads of its own or inside `DiskExecutor.run`; everybody else uses `Disk`. What these
/// calls promise holds after a power failure, as far as the disk keeps its own promise about flushes.
public enum BlockingDisk {}
