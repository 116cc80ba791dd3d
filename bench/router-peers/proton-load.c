/*
 * A client of AMQP 1.0 brokers, made of proton-c, that costs as little as one can: messages are encoded once.
 *
 *   proton-load send    PORT ADDRESS COUNT BYTES RATE     RATE messages a second, 0 for as fast as credit lets it
 *   proton-load receive PORT ADDRESS COUNT [NAME]         NAME of a subscription that outlives its link
 *   proton-load hold    PORT ADDRESS COUNT                COUNT connections with a sender and a receiver each
 *
 * It says "attached" once its links are, and at its end one line of JSON: when it began and ended (ms of CLOCK_MONOTONIC),
 * what it took of the processor, and of a sender how long acceptance took, from the turn of its timer of a millisecond at which
 * a message was due, also where it had no credit then. `hold` ends with its standard input. PROTON_USER is name and password, where the broker wants one.
 */
#include <proton/connection.h>
#include <proton/delivery.h>
#include <proton/link.h>
#include <proton/proactor.h>
#include <proton/sasl.h>
#include <proton/session.h>
#include <proton/transport.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { CREDIT = 1000, HEAD_BYTES = 15, TIMER_MS = 1 };

static enum { SEND, RECEIVE, HOLD } role;
static const char *port, *address, *durable;
static int count;
static double rate;
static char *message;
static size_t message_bytes;

static pn_proactor_t *proactor;
static pn_connection_t *connection; /* the last one */
static pn_link_t *sender;
static int attached, granted, sent, done;
static double began_ms;
static float *took_us; /* by message */

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void fail(const char *what, pn_condition_t *why) {
  const char *text = why && pn_condition_is_set(why) ? pn_condition_get_description(why) : "no reason given";
  fprintf(stderr, "Cannot go on: %s: %s\n", what, text ? text : pn_condition_get_name(why));
  exit(1);
}

/* A durable message with one section of data, of so many bytes in all. */
static void encode(size_t bytes) {
  static const unsigned char head[] = {0, 0x53, 0x70, 0xc0, 2, 1, 0x41, 0, 0x53, 0x75, 0xb0};
  size_t body = bytes > HEAD_BYTES ? bytes - HEAD_BYTES : 0;
  message_bytes = HEAD_BYTES + body;
  message = calloc(1, message_bytes);
  memcpy(message, head, sizeof head);
  for (int i = 0; i < 4; i++) message[11 + i] = (char)(body >> (24 - 8 * i));
}

static int by_value(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static void finish(void) {
  struct rusage used;
  double ended_ms = now_ms();
  getrusage(RUSAGE_SELF, &used);
  double cpu_us = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
  double p50 = 0, p99 = 0;
  if (role == SEND) {
    qsort(took_us, count, sizeof *took_us, by_value);
    p50 = took_us[count / 2];
    p99 = took_us[(int)(count * 0.99)];
  }
  printf("{\"beganMs\":%.3f,\"endedMs\":%.3f,\"cpuUs\":%.0f,\"p50Us\":%.0f,\"p99Us\":%.0f}\n", began_ms, ended_ms, cpu_us, p50, p99);
  fflush(stdout);
  exit(0);
}

/* Those whose time has come, by now; without a rate all. */
static int due_by(double now) {
  if (rate == 0) return count;
  double due = (now - began_ms) * rate / 1e3 + 1;
  return due < count ? (int)due : count;
}

static void pump(void) {
  static int due;
  double now = now_ms();
  if (began_ms == 0) began_ms = now;
  int due_now = due_by(now);
  for (; rate > 0 && due < due_now; due++) took_us[due] = (float)(now - began_ms);
  while (sent < due_now && pn_link_credit(sender) > 0) {
    if (rate == 0) took_us[sent] = (float)(now - began_ms);
    pn_delivery_t *delivery = pn_delivery(sender, pn_dtag((const char *)&sent, sizeof sent));
    pn_delivery_set_context(delivery, (void *)(intptr_t)sent);
    pn_link_send(sender, message, message_bytes);
    pn_link_advance(sender);
    sent++;
  }
  if (rate > 0 && sent < count) pn_proactor_set_timeout(proactor, TIMER_MS);
}

static void outcome(pn_delivery_t *delivery) {
  if (pn_delivery_remote_state(delivery) != PN_ACCEPTED) {
    if (pn_delivery_remote_state(delivery)) fail("a message was not accepted", NULL);
    return;
  }
  intptr_t i = (intptr_t)pn_delivery_get_context(delivery);
  took_us[i] = (float)((now_ms() - began_ms - took_us[i]) * 1e3);
  pn_delivery_settle(delivery);
  if (++done == count) finish();
}

/* No more than what is wanted: what comes beyond it would be another's. */
static void grant(pn_link_t *link) {
  int more = CREDIT - pn_link_credit(link);
  if (more > count - granted) more = count - granted;
  if (more <= 0) return;
  granted += more;
  pn_link_flow(link, more);
}

static void delivered(pn_delivery_t *delivery) {
  static char bytes[1 << 20];
  pn_link_t *link = pn_delivery_link(delivery);
  if (began_ms == 0) began_ms = now_ms();
  /* RabbitMQ 3 sends more than credit lets it, now and then: that goes back with the link. */
  if (done == count || !pn_delivery_readable(delivery) || pn_delivery_partial(delivery)) return;
  while (pn_link_recv(link, bytes, sizeof bytes) > 0) {}
  pn_delivery_update(delivery, PN_ACCEPTED);
  pn_delivery_settle(delivery);
  if (pn_link_credit(link) <= CREDIT / 2) grant(link);
  if (++done < count) return;
  /* Its answer comes after all that was said of messages, which a broker may forget when the connection goes. */
  if (durable) pn_link_detach(link);
  else pn_link_close(link);
}

static void attach(pn_connection_t *opened) {
  char name[64];
  static int connections;
  pn_session_t *session = pn_session(opened);
  if (durable) snprintf(name, sizeof name, "%s", durable);
  else snprintf(name, sizeof name, "load-%d-%d", (int)getpid(), connections++);
  pn_connection_set_container(opened, name);
  pn_connection_open(opened);
  /* Frames may be large: proton's default of one of 32 KiB in flight is no client's choice. */
  pn_session_set_incoming_capacity(session, 1 << 24);
  pn_session_open(session);
  if (role != RECEIVE) {
    sender = pn_sender(session, name);
    pn_terminus_set_address(pn_link_target(sender), address);
    pn_link_open(sender);
  }
  if (role != SEND) {
    pn_link_t *receiver = pn_receiver(session, role == HOLD ? "receiver" : name);
    pn_terminus_set_address(pn_link_source(receiver), address);
    if (durable) {
      pn_terminus_set_durability(pn_link_source(receiver), PN_DELIVERIES);
      pn_terminus_set_expiry_policy(pn_link_source(receiver), PN_EXPIRE_NEVER);
    }
    pn_link_open(receiver);
    if (role == HOLD) pn_link_flow(receiver, 10);
    else grant(receiver);
  }
}

static void dial(void) {
  char at[64];
  const char *user = getenv("PROTON_USER");
  snprintf(at, sizeof at, "127.0.0.1:%s", port);
  pn_transport_t *transport = pn_transport();
  pn_transport_set_max_frame(transport, 65536);
  pn_sasl_set_allow_insecure_mechs(pn_sasl(transport), true);
  if (!user) pn_sasl_allowed_mechs(pn_sasl(transport), "ANONYMOUS");
  connection = pn_connection();
  if (user) {
    pn_connection_set_user(connection, user);
    pn_connection_set_password(connection, user);
  }
  pn_proactor_connect2(proactor, connection, transport, at);
}

/* One after the other: brokers let only so many wait. */
static void link_opened(void) {
  int links = role == HOLD ? 2 : 1;
  if (++attached % links != 0) return;
  if (role == HOLD && attached / links < count) return dial();
  puts("attached");
  fflush(stdout);
  if (role != HOLD) return;
  while (getchar() != EOF) {}
  exit(0);
}

static void handle(pn_event_t *event) {
  switch (pn_event_type(event)) {
    case PN_CONNECTION_INIT: return attach(pn_event_connection(event));
    case PN_LINK_REMOTE_OPEN: return link_opened();
    case PN_LINK_FLOW:
      if (role == SEND) pump();
      return;
    case PN_CONNECTION_WAKE: return pump();
    case PN_PROACTOR_TIMEOUT: return pn_connection_wake(connection);
    case PN_DELIVERY: return role == SEND ? outcome(pn_event_delivery(event)) : delivered(pn_event_delivery(event));
    case PN_LINK_REMOTE_CLOSE:
    case PN_LINK_REMOTE_DETACH:
      if (role == RECEIVE && done == count) finish();
      return fail("a link ended", pn_link_remote_condition(pn_event_link(event)));
    case PN_CONNECTION_REMOTE_CLOSE:
      return fail("the connection was closed", pn_connection_remote_condition(pn_event_connection(event)));
    case PN_TRANSPORT_CLOSED:
      return fail("the connection is lost", pn_transport_condition(pn_event_transport(event)));
    default: return;
  }
}

int main(int argc, char **argv) {
  if (argc < 5) return fprintf(stderr, "Cannot run: wanted send, receive or hold, a port, an address and a count\n"), 64;
  role = strcmp(argv[1], "send") == 0 ? SEND : strcmp(argv[1], "receive") == 0 ? RECEIVE : HOLD;
  port = argv[2];
  address = argv[3];
  count = atoi(argv[4]);
  if (role == SEND) encode(argc > 5 ? atoi(argv[5]) : 100);
  if (role == SEND) rate = argc > 6 ? atof(argv[6]) : 0;
  if (role == RECEIVE) durable = argc > 5 ? argv[5] : NULL;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  took_us = calloc(count, sizeof *took_us);
  proactor = pn_proactor();
  dial();
  for (;;) {
    pn_event_batch_t *events = pn_proactor_wait(proactor);
    for (pn_event_t *event = pn_event_batch_next(events); event; event = pn_event_batch_next(events)) handle(event);
    pn_proactor_done(proactor, events);
  }
}
