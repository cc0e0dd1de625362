// DirectoryStorageTests
