"""What administrators and owners did: one frozen class per event, as in `types`.

`name` is what was changed, `project_name` is empty for what belongs to the system. The wire name is the
resource in Harbor's words and what happened to it.
"""

from typing import TypeAlias

from msgspec import Struct


class _Managed(Struct, frozen=True):
    name: str
    project_name: str = ""


class UserCreated(_Managed, frozen=True, tag="user.created"):
    """Somebody can log in from now on."""


class UserUpdated(_Managed, frozen=True, tag="user.updated"):
    """A user's profile, password or administrator's right changed; `changed` says which."""

    changed: str = ""


class UserDeleted(_Managed, frozen=True, tag="user.deleted"):
    """A user is gone."""


class UserGroupCreated(_Managed, frozen=True, tag="user-group.created"):
    """A group of a directory is known from now on."""


class UserGroupUpdated(_Managed, frozen=True, tag="user-group.updated"):
    """A group has another name."""


class UserGroupDeleted(_Managed, frozen=True, tag="user-group.deleted"):
    """A group is gone, and its memberships with it."""


class ProjectUpdated(_Managed, frozen=True, tag="project.updated"):
    """A project's settings changed."""

    changed: tuple[str, ...] = ()


class ProjectDeleted(_Managed, frozen=True, tag="project.deleted"):
    """A project without repositories is gone."""


class MemberCreated(_Managed, frozen=True, tag="member.created"):
    """A user or group has a role in a project."""

    role: str = ""


class MemberUpdated(_Managed, frozen=True, tag="member.updated"):
    """A member has another role."""

    role: str = ""


class MemberDeleted(_Managed, frozen=True, tag="member.deleted"):
    """A user or group has no role in a project any more."""


class RobotCreated(_Managed, frozen=True, tag="robot.created"):
    """A robot account can log in from now on."""


class RobotUpdated(_Managed, frozen=True, tag="robot.updated"):
    """A robot's permissions, lifetime or secret changed; `changed` says which."""

    changed: str = ""


class RobotDeleted(_Managed, frozen=True, tag="robot.deleted"):
    """A robot account is gone."""


class LabelCreated(_Managed, frozen=True, tag="label.created"):
    """There is a label to attach to artifacts."""


class LabelUpdated(_Managed, frozen=True, tag="label.updated"):
    """A label looks different."""


class LabelDeleted(_Managed, frozen=True, tag="label.deleted"):
    """A label is gone, from all artifacts too."""


class ImmutableRuleCreated(_Managed, frozen=True, tag="immutable-rule.created"):
    """Tags that match a rule can't be moved or deleted; `name` is the rule's id."""


class ImmutableRuleUpdated(_Managed, frozen=True, tag="immutable-rule.updated"):
    """A rule protects other tags."""


class ImmutableRuleDeleted(_Managed, frozen=True, tag="immutable-rule.deleted"):
    """A rule protects nothing any more."""


class NotificationPolicyCreated(_Managed, frozen=True, tag="notification-policy.created"):
    """What happens in a project is posted to somebody; `name` is the policy's."""


class NotificationPolicyUpdated(_Managed, frozen=True, tag="notification-policy.updated"):
    """Other events are posted, or to others; `changed` says which secret is another one."""

    changed: str = ""


class NotificationPolicyDeleted(_Managed, frozen=True, tag="notification-policy.deleted"):
    """Nothing is posted by a policy any more."""


class WebhookTargetPaused(_Managed, frozen=True, tag="webhook-target.paused"):
    """What is owed to a target waits until somebody resumes it."""

    target_id: int = 0
    reason: str = ""


class WebhookTargetResumed(_Managed, frozen=True, tag="webhook-target.resumed"):
    """What is owed to a target is sent now."""

    target_id: int = 0


class WebhookDeliveryReplayed(_Managed, frozen=True, tag="webhook-delivery.replayed"):
    """What was sent, or could not be, is sent once more; `count` says how many."""

    count: int = 0


class QuotaUpdated(_Managed, frozen=True, tag="quota.updated"):
    """A project may use more, or less; `hard_bytes` -1 is without limit."""

    hard_bytes: int = -1


class QuotaWarned(_Managed, frozen=True, tag="quota.warned"):
    """A project uses most of its quota."""

    used_bytes: int = 0
    hard_bytes: int = 0


class QuotaExceeded(_Managed, frozen=True, tag="quota.exceeded"):
    """A push was refused: it would have exceeded the quota."""

    used_bytes: int = 0
    hard_bytes: int = 0
    needed_bytes: int = 0


class ConfigurationUpdated(_Managed, frozen=True, tag="configuration.updated"):
    """The system's configuration changed; `name` lists the keys."""


class JobQueuePaused(_Managed, frozen=True, tag="job-queue.paused"):
    """Jobs of a type, or `all`, are not run until somebody resumes them."""


class JobQueueResumed(_Managed, frozen=True, tag="job-queue.resumed"):
    """Jobs of a type, or `all`, are run again."""


class JobQueueStopped(_Managed, frozen=True, tag="job-queue.stopped"):
    """What of a type waited was set aside; `count` says how much."""

    count: int = 0


class JobStopped(_Managed, frozen=True, tag="job.stopped"):
    """A job that ran, or `all`, is to stop."""


class JobRetried(_Managed, frozen=True, tag="job.retried"):
    """What had been set aside, one job or those of a type, is tried again."""

    count: int = 0


class SchedulePaused(_Managed, frozen=True, tag="schedule.paused"):
    """A schedule does not come until somebody resumes it."""


class ScheduleResumed(_Managed, frozen=True, tag="schedule.resumed"):
    """A schedule comes again."""


class LoginRefused(_Managed, frozen=True, tag="login.refused"):
    """Wrong credentials were shown for the user or robot `name`."""


class SessionOpened(_Managed, frozen=True, tag="session.opened"):
    """A session was opened."""


class SessionClosed(_Managed, frozen=True, tag="session.closed"):
    """A session was closed."""


ManagementEvent: TypeAlias = (
    UserCreated
    | UserUpdated
    | UserDeleted
    | UserGroupCreated
    | UserGroupUpdated
    | UserGroupDeleted
    | ProjectUpdated
    | ProjectDeleted
    | MemberCreated
    | MemberUpdated
    | MemberDeleted
    | RobotCreated
    | RobotUpdated
    | RobotDeleted
    | LabelCreated
    | LabelUpdated
    | LabelDeleted
    | ImmutableRuleCreated
    | ImmutableRuleUpdated
    | ImmutableRuleDeleted
    | NotificationPolicyCreated
    | NotificationPolicyUpdated
    | NotificationPolicyDeleted
    | WebhookTargetPaused
    | WebhookTargetResumed
    | WebhookDeliveryReplayed
    | QuotaUpdated
    | QuotaWarned
    | QuotaExceeded
    | ConfigurationUpdated
    | JobQueuePaused
    | JobQueueResumed
    | JobQueueStopped
    | JobStopped
    | JobRetried
    | SchedulePaused
    | ScheduleResumed
    | LoginRefused
    | SessionOpened
    | SessionClosed
)
