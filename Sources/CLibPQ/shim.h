#include <libpq-fe.h>
/* What its sockets are waited for with; Swift's Glibc module leaves these out. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
