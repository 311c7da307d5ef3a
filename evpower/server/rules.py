"""Settings as the rules of the rooms: the one place that knows both."""

from __future__ import annotations

from datetime import timedelta

from evpower.billing.pricing import PricingRules
from evpower.billing.reservation import ReservationRules
from evpower.charging.recovery import RecoveryRules
from evpower.charging.service import ChargingRules
from evpower.charging.start_deadlines import StartDeadlineRules
from evpower.charging.start_stop import AskingRules
from evpower.identity.graph import TokenRules
from evpower.payments.top_up import TopUpRules
from evpower.push.devices import PushRules
from evpower.push.services.vapid import private_key, public_key_text
from evpower.reservations.graph import KeepingRules
from evpower.settings.config import Config
from evpower.settings.push import vapid_number
from evpower.sign_in.codes import CodeRules


def pricing_rules(config: Config) -> PricingRules:
    """Which price counts when no plan says one, and how long it may be shown."""
    return PricingRules(config.billing.default_rate_per_kwh, config.billing.timezone, config.billing.price_cache_s)


def reservation_rules(config: Config) -> ReservationRules:
    """What an unlimited charge holds, and for how long a charge is planned."""
    return ReservationRules(
        config.charging.unlimited_reserve_tyiyn,
        config.charging.unlimited_minimum_tyiyn,
        config.charging.planning_minutes,
    )


def keeping_rules(config: Config) -> KeepingRules:
    """How long stations are waited for that are to keep a connector."""
    return KeepingRules(config.charging.start_wait_s, config.ocpp.heartbeat_timeout_s)


def charging_rules(config: Config) -> ChargingRules:
    """How long a start waits, and how many charges a client may have."""
    return ChargingRules(
        config.charging.start_wait_s, config.ocpp.heartbeat_timeout_s, config.charging.max_sessions_per_client
    )


def asking_rules(config: Config) -> AskingRules:
    """How long stations are waited for."""
    return AskingRules(config.charging.stop_wait_s, config.charging.start_repeat_s, config.charging.stop_repeat_s)


def recovery_rules(config: Config) -> RecoveryRules:
    """After which times recovery steps in."""
    return RecoveryRules(
        config.charging.longest_session_s,
        config.charging.reboot_grace_s,
        config.charging.stop_wait_s,
        config.charging.stop_repeat_s,
    )


def start_deadline_rules(config: Config) -> StartDeadlineRules:
    """For how long a start is waited for."""
    charging = config.charging
    return StartDeadlineRules(
        timedelta(seconds=charging.start_deadline_s),
        timedelta(seconds=max(charging.start_deadline_s, charging.longest_session_s)),
    )


def token_rules(config: Config) -> TokenRules:
    """Whose tokens are believed."""
    auth = config.auth
    return TokenRules(auth.jwt_secret, auth.jwks_url, auth.issuer, auth.audience)


def top_up_rules(config: Config) -> TopUpRules:
    """How orders are checked and bounded."""
    return TopUpRules(
        poll_interval_s=config.payments.poll_interval_s,
        max_checks=config.payments.max_checks,
        slow_interval_s=config.payments.slow_interval_s,
        invoice_lifetime_s=config.payments.invoice_lifetime_s,
        minimum_tyiyn=config.payments.minimum_tyiyn,
        maximum_tyiyn=config.payments.maximum_tyiyn,
        h2h_allowed=config.obank.h2h,
        test_payments=config.odengi.test,
    )


def code_rules(config: Config) -> CodeRules:
    """Whose phones get codes, and how many a day."""
    return CodeRules(config.sign_in.phone_prefixes, config.sign_in.codes_per_day)


def push_rules(config: Config) -> PushRules:
    """Which kinds of messages are set up."""
    push, key = config.push, None
    if push.has_web_push:
        number = vapid_number(push.vapid_private_key)
        assert number is not None, "the settings were checked"
        key = public_key_text(private_key(number))
    return PushRules(push.has_fcm, key, push.web_push_hosts)
