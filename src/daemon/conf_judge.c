/* What only the whole configuration can show: parts that contradict each other, and what would be dangerous.
 */
#include "daemon/conf_make.h"

#include "daemon/guard.h"
#include "daemon/keeper_notice.h"

#include <unistd.h>

#define OWN_ADDRESSES_MAX (1u << 20) /* of IPv4: more than one house's */

static struct conf_place whole(const struct conf_maker *maker)
{
    return (struct conf_place){maker->first_source, 0};
}

/* Where a setting stands, or the file as a whole where it has its default. */
static struct conf_place setting_place(struct conf_maker *maker, const char *name)
{
    const struct conf_place *place = conf_find(maker, 0, "", slice_text(name));

    return place ? *place : whole(maker);
}

static struct conf_place route_place(const struct conf_maker *maker, const struct route *route)
{
    const struct conf_place *places = (const void *)maker->route_places.buf.at;

    return places[route->number];
}

static const struct route *route_for_everything(const struct site *site)
{
    return table_get(&site->routes_by_domain, SLICE("*"));
}

/* --- mistakes ------------------------------------------------------------------------------------------ */

static void judge_settings(struct conf_maker *maker)
{
    const struct settings *set = &maker->site->set;

    if (set->log_to == LOG_TO_FILE && set->log_file.len == 0)
        conf_mistake(maker, setting_place(maker, "log.to"),
                     "log.to is file, but no file is named: expected log.file FILE");
    if (set->retry_first > set->retry_most)
        conf_mistake(maker, setting_place(maker, "retry.first"),
                     "retry.first is longer than retry.most: expected at most as long");
    if (set->retry_warn >= set->retry_expire)
        conf_mistake(maker, setting_place(maker, "retry.warn"),
                     "retry.warn is as long as retry.expire or longer: expected less, or 0");
    if (set->limit_header > set->limit_message)
        conf_mistake(maker, setting_place(maker, "limits.header"),
                     "limits.header is larger than limits.message: expected at most as much");
}

/* Whether what is sent to the target comes in by this very listener. */
static bool leads_home(const struct target *target, const struct listen *listen)
{
    if (target->address.family == ADDRESS_NONE || target->port != listen->address.port)
        return false;
    if (address_equal_host(&target->address, &listen->address))
        return true;
    return address_is_unspecified(&listen->address) && target->address.family == listen->address.family &&
           address_is_loopback(&target->address);
}

static void judge_loop(struct conf_maker *maker, const struct route *route, const struct target *target)
{
    const struct site *site = maker->site;
    char text[ADDRESS_PORT_TEXT_SIZE];

    for (size_t i = 0; i < site->listen_count; i++) {
        if (!leads_home(target, &site->listens[i]))
            continue;
        (void)address_port_print(&target->address, text);
        conf_mistake(maker, route_place(maker, route),
                     "route %.*s leads back to this gate, which listens on %s: expected another server",
                     SLICE_ARGS(route->name), text);
        return;
    }
}

/* --- warnings: relaying -------------------------------------------------------------------------------- */

/* Public ones of IPv4. */
static uint64_t own_addresses(const struct networks *own)
{
    uint64_t count = 0;

    for (size_t i = 0; i < own->count; i++)
        if (own->items[i].network.family == ADDRESS_IPV4 && !conf_prefix_is_private(&own->items[i]))
            count += UINT64_C(1) << (32 - own->items[i].bits);
    return count;
}

static void judge_relaying(struct conf_maker *maker)
{
    const struct site *site = maker->site;
    const struct route *everything = route_for_everything(site);

    if (own_addresses(&site->own) > OWN_ADDRESSES_MAX)
        conf_warning(maker, whole(maker),
                     "networks own holds more than a million addresses: whoever connects from one may relay "
                     "through route *");
    if (everything && everything->kind == ROUTE_RELAY && site->own.count == 0)
        conf_warning(maker, route_place(maker, everything),
                     "route * is never used: it serves our own networks only, and networks own names none");
}

static bool is_queueing(const struct route *route)
{
    return route->kind != ROUTE_RELAY;
}

static void judge_notifications(struct conf_maker *maker)
{
    const struct site *site = maker->site;
    const struct route *everything = route_for_everything(site);

    for (size_t i = 0; i < site->route_count; i++) {
        const struct route *route = &site->routes[i];
        if (!is_queueing(route) || route == everything || (everything && is_queueing(everything)))
            continue;
        conf_warning(
            maker, route_place(maker, route),
            "notifications about mail for %.*s cannot leave: expected a route * with smtp to send them by",
            SLICE_ARGS(route->name));
        return; /* once is enough: the cure is the same */
    }
    for (size_t i = 0; i < site->route_count; i++)
        if (site->routes[i].kind == ROUTE_SMTP && &site->routes[i] != everything &&
            site->routes[i].mailboxes == ROUTE_MAILBOXES_ANY)
            conf_warning(maker, route_place(maker, &site->routes[i]),
                         "route %.*s takes mail for anybody: notifications about those who do not exist go "
                         "to forged senders",
                         SLICE_ARGS(site->routes[i].name));
}

static void judge_notices(struct conf_maker *maker)
{
    const struct site *site = maker->site;
    const struct slice to = keeper_notice_address(site, &maker->scratch);
    const size_t at = slice_find_last(to, '@');

    if (!site->set.notify_classes.len && !site->set.notify_digest.len)
        return;
    if (at == SLICE_NOT_FOUND || !site_route(site, conf_lower(maker, slice_from(to, at + 1)), true))
        conf_warning(maker, setting_place(maker, "notify.to"),
                     "notices cannot leave: expected notify.to to be an address that a route leads to");
}

/* --- warnings: limits and names ------------------------------------------------------------------------ */

static void warn_setting(struct conf_maker *maker, bool weak, const char *name, const char *text)
{
    if (weak)
        conf_warning(maker, setting_place(maker, name), "%s %s", name, text);
}

static void judge_limits(struct conf_maker *maker)
{
    const struct settings *set = &maker->site->set;

    warn_setting(maker, set->limit_idle < 300000, "limits.idle-time",
                 "is below the 5 minutes of RFC 5321: slow senders may not get through");
    warn_setting(maker, set->limit_data_idle < 180000, "limits.data-idle-time",
                 "is below the 3 minutes of RFC 5321: slow senders may not get through");
    warn_setting(maker, set->relay_dot_time < 600000, "relay.dot-time",
                 "is below the 10 minutes of RFC 5321: messages may arrive twice");
    warn_setting(maker, set->limit_idle > 3600000, "limits.idle-time",
                 "lets silent clients hold a connection for over an hour");
    warn_setting(maker, set->limit_session > 43200000, "limits.session-time",
                 "lets one client hold a connection for over 12 hours");
    warn_setting(maker, set->limit_data_rate == 0, "limits.data-rate",
                 "is 0: a client may hold a connection with a message that never ends");
    warn_setting(maker, set->limit_host_connections > set->limit_connections / 2, "limits.host-connections",
                 "lets one address take more than half of limits.connections");
    warn_setting(maker, set->limit_errors > 1000, "limits.errors",
                 "lets one session guess a great many recipients");
    warn_setting(maker, set->limit_junk > 100, "limits.junk", "lets what is no SMTP client talk on");
    warn_setting(maker, set->limit_received > 100, "limits.received",
                 "is over the 100 of RFC 5321: loops last long");
    warn_setting(maker, set->limit_disk_free < 16u * 1024 * 1024, "limits.disk-free",
                 "is small: the disk may fill before mail is refused in order");
    warn_setting(maker, set->limit_message > 1024u * 1024 * 1024, "limits.message",
                 "is over 1GiB: a few messages may fill the disk");
    warn_setting(maker, set->limit_memory < 16u * 1024 * 1024, "limits.memory",
                 "is small: sessions may be refused under a light load");
}

static void judge_names(struct conf_maker *maker)
{
    const struct site *site = maker->site;

    if (slice_find(site->set.host_name, '.') == SLICE_NOT_FOUND)
        conf_warning(
            maker, setting_place(maker, "host-name"),
            "the gate calls itself \"%.*s\", which has no dot: expected host-name with a full domain name",
            SLICE_ARGS(site->set.host_name));
    if (site->route_count == 0)
        conf_warning(maker, whole(maker), "there is no route: every recipient is refused");
    else if (site->route_count == 1 && route_for_everything(site))
        conf_warning(maker, whole(maker), "route * is the only route: mail from strangers is refused");
}

static void judge_user(struct conf_maker *maker)
{
    const struct settings *set = &maker->site->set;
    struct guard_user user;
    struct error error;

    if (maker->care == CONF_CARE_FILES && geteuid() == 0 &&
        guard_user_find(set->user, set->group, &user, &error) < 0)
        conf_warning(maker, setting_place(maker, "user"), "%s: started by root, the gate will not run",
                     error.text);
}

/* --- warnings: policy ---------------------------------------------------------------------------------- */

static void judge_policy(struct conf_maker *maker)
{
    const struct settings *set = &maker->site->set;

    warn_setting(maker, set->policy_observe, "policy.observe", "is on: nothing that is found is acted on");
    warn_setting(maker, set->policy_suspect > set->policy_reject, "policy.suspect",
                 "is above policy.reject: nobody is a suspect before it is refused");
    warn_setting(maker, set->policy_defer > set->policy_reject, "policy.defer",
                 "is above policy.reject: nobody is asked to come again before it is refused");
}

void conf_judge(struct conf_maker *maker)
{
    const struct site *site = maker->site;

    judge_settings(maker);
    for (size_t i = 0; i < site->route_count; i++)
        for (size_t n = 0; n < site->routes[i].target_count; n++)
            judge_loop(maker, &site->routes[i], &site->routes[i].targets[n]);
    judge_names(maker);
    judge_user(maker);
    judge_relaying(maker);
    judge_notifications(maker);
    judge_notices(maker);
    conf_judge_exports(maker);
    judge_limits(maker);
    judge_policy(maker);
    if (maker->care == CONF_CARE_FILES && maker->report->mistakes.count == 0)
        conf_judge_aliases(maker);
}
