/* Telling the service manager how we are (the protocol of sd_notify(3): a datagram to $NOTIFY_SOCKET). */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

/* "READY=1", "STOPPING=1", "RELOADING=1\n…"; without a service manager nothing is done. */
void notify_send(const char *text);

#endif
