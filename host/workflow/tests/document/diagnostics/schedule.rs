//! Schedules.

use insta::assert_snapshot;

use super::check_beside;

#[test]
fn schedules() {
    assert_snapshot!(check_beside("schedule: {}\n"), @r"
    case.yaml:8:1: error[missing-key]: `schedule` needs one of the keys `every`, `cron`, `after`, `on`
      at /schedule
    ");
    assert_snapshot!(check_beside("schedule: { cron: 0 25 * * * }\n"), @r"
    case.yaml:8:19: error[bad-cron]: `25` is no hour: it must be from 0 to 23
      at /schedule/cron
      help: write it like 0 8 * * MON-FRI
    ");
    assert_snapshot!(check_beside("schedule: { cron: '@daily' }\n"), @r"
    case.yaml:8:19: error[bad-cron]: a cron expression has five fields (minute, hour, day of month, month, day of week), this has 1
      at /schedule/cron
      help: write 0 0 * * *
    ");
    assert_snapshot!(check_beside("schedule: { every: 5m, read: data, timezone: Berlin! }\n"), @r"
    case.yaml:8:20: error[bad-duration]: `5m` is not an ISO 8601 duration
      at /schedule/every
      help: write { minutes: 5 }
    case.yaml:8:24: error[conflicting-keys]: `read` has no meaning without `on`
      at /schedule/read
      help: add `on` or remove `read`
    case.yaml:8:36: error[conflicting-keys]: `timezone` has no meaning without `cron`
      at /schedule/timezone
      help: add `cron` or remove `timezone`
    case.yaml:8:46: error[bad-value]: there is no time zone `Berlin!`
      at /schedule/timezone
      help: did you mean `Europe/Berlin`?
    ");
    assert_snapshot!(check_beside("schedule: { cron: 0 0 30 2 *, every: '${ .x }', after: PT0.5S }\n"), @r"
    case.yaml:8:19: error[bad-cron]: the schedule never comes
      at /schedule/cron
      help: there is no such day in any of these months
    case.yaml:8:38: error[bad-duration]: `every` of a schedule can't be an expression: there is no run yet to evaluate it in
      at /schedule/every
      help: write it like PT15M
    case.yaml:8:56: error[bad-duration]: `after` of a schedule must be at least 1 s
      at /schedule/after
      help: let one run do more often what it does, with `for` and `wait`
    ");
    assert_snapshot!(check_beside("schedule: { corn: 0 * * * * }\n"), @r"
    case.yaml:8:13: error[unknown-key]: unknown key `corn` in `schedule`
      at /schedule/corn
      help: did you mean `cron`?
    ");
    assert_snapshot!(check_beside("schedule: { on: { one: { with: { type: x } } }, read: all }\n"), @r"
    case.yaml:8:55: error[bad-value]: `all` is not one of `data`, `envelope`, `raw`
      at /schedule/read
    ");
}
