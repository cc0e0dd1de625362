// DirectoryStorage
