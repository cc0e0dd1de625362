// DurableFilesTests
