"""Every error EvPower raises on purpose.

EvPowerError
├─ ConfigError              a setting is wrong; one message names every wrong value (exit code 2)
├─ DatabaseUnavailable      PostgreSQL cannot be reached, or did not start
│  └─ DatabaseUnreachable   the configured one does not answer at our start (exit code 2)
├─ RedisAway                what is only cached there must be had otherwise
├─ SchemaTooNew             the database was migrated by a newer EvPower
├─ MigrationEdited          a migration was changed after it was applied
├─ Unsignable               a station asked for a certificate it does not get
├─ InvalidRequest           input that cannot be read: HTTP 400 with a list of fields
│  ├─ InvalidAmount         the one wrong thing is a sum that money cannot have
│  ├─ StaleTimestamp        a provider's call that says it was made long ago
│  ├─ FcmTokenInvalid       no registration token of FCM's
│  └─ AmountTooSmall, AmountTooLarge   a top-up outside its limits
├─ ServiceUnavailable       what the request needs is away for now: HTTP 503
├─ Unauthorized             the caller is not identified: HTTP 401
│  ├─ InvalidToken          a bearer token that is not believed
│  ├─ WrongCode, CodeExpired    a code from an SMS that does not open
│  └─ SignedOut             a refresh token by which no sign-in goes on
├─ IdempotencyMismatch      a key was reused with another body, or its first request is still running: HTTP 409
├─ ConnectorTaken           another session began on the connector meanwhile; becomes ConnectorOccupied
├─ AlreadyExists            what should be created exists already: HTTP 409
├─ Forbidden                not the owner: HTTP 403
├─ TooManyRequests          one address calls too often: HTTP 429
│  └─ TooManyCodes          enough codes were sent to this phone, for this address, or by this installation
├─ NotFound                 an unknown id: HTTP 404
│  ├─ SessionNotFound
│  │  └─ NoSuchActiveSession
│  ├─ StationNotFound, LocationNotFound
│  ├─ ClientNotFound
│  └─ PaymentNotFound
└─ Refusal                  a business refusal of a POST: HTTP 200 with `success: false`, 400 for a top-up (§1.6)
   ├─ InsufficientBalance, MinimumAmountRequired
   ├─ ClientBlocked, ClientDeleted, DebtOpen
   ├─ UnknownStation, StationInactive, StationUnderMaintenance, StationOffline
   ├─ ConnectorNotFound, ConnectorFaulted, ConnectorUnavailable, ConnectorOccupied
   ├─ SessionAlreadyActive, SessionFailed, PaymentPending
   ├─ ProviderFailure        how a call to a payment provider can fail (billing/gateway.py)
   │  └─ ProviderError, ProviderUnavailable, ProviderTimeout
   ├─ SmsNotSent             a code could not be sent
   │  └─ SmsUnanswered       it is not known whether it was
   ├─ PaymentFailed, NoSuchPayment, PaymentNotProcessing, PaymentNotCancellable, TokenNotSupported
   ├─ DeviceNotFound         a device that is not registered by who asks
   ├─ NoSuchLocation, TooManyFavorites, TooManyWatches   what is no favorite, and not waited for
   ├─ NotRefundable          what an operator wants to give back is not there to be given
   ├─ CommandFailure         what became of an operator's command to a station (duty 39)
   │  ├─ ChargerOffline, ChargerNotReady, CommandTimedOut
   │  ├─ CommandNotKnown
│  └─ CommandRefused, CommandRejected, UnreadableAnswer
   └─ NoStationCa            there is no authority to sign certificates of stations

An error has its machine-readable `code`, the Russian sentence for the driver (`message`) and its context fields
(`details`, JSON-ready, som as numbers). Which HTTP status it becomes is decided by `http/problems.py` alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from evpower.money import som_number, som_text


class EvPowerError(Exception):
    """The root: anything else that escapes is a fault of ours."""

    code: ClassVar[str] = "internal_error"
    message: str = "Внутренняя ошибка сервера"

    def __init__(self, message: str | None = None, **details: Any) -> None:
        if message is not None:
            self.message = message
        self.details: Mapping[str, Any] = details
        super().__init__(self.message)


class ConfigError(EvPowerError):
    """Settings that cannot be used; `problems` has one line for each."""

    code = "config_error"

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class DatabaseUnavailable(EvPowerError):
    """PostgreSQL cannot be reached or did not start; the message says which and where to look."""

    code = "service_unavailable"


class DatabaseUnreachable(DatabaseUnavailable):
    """The configured database does not answer at our start; the message says why."""


class RedisAway(EvPowerError):
    """Redis does not answer, or is not asked because it did not a moment ago."""


class SchemaTooNew(EvPowerError):
    """The database was migrated by a newer EvPower than this one."""


class MigrationEdited(EvPowerError):
    """A migration's file is not what was applied; migrations are forward-only."""


class Unsignable(EvPowerError):
    """A station's request for a certificate that is refused; the message says why, for the log and the operator."""


class InvalidRequest(EvPowerError):
    """Input that cannot be read; `fields` is a list of (field, what is wrong)."""

    code = "validation_error"
    message = "Некорректные данные запроса"

    def __init__(self, *fields: tuple[str, str]) -> None:
        self.fields = fields
        super().__init__(detail=[{"field": field, "message": text} for field, text in fields])


class InvalidAmount(InvalidRequest):
    """A sum with parts of a tyiyn, or none at all."""

    code = "invalid_amount"
    message = "Некорректная сумма"


class StaleTimestamp(InvalidRequest):
    """A provider's call whose X-Timestamp is too far from now (contract/payments §2.6, second form)."""

    code = "stale_timestamp"


class FcmTokenInvalid(InvalidRequest):
    """No registration token of Firebase Cloud Messaging (contract/rest-api §7.2)."""

    code = "fcm_token_invalid"
    message = "Некорректный токен устройства"

    def __init__(self) -> None:
        super().__init__(("fcm_token", self.message))


class AmountTooSmall(InvalidRequest):
    """A top-up below the least that is taken (design §9.1)."""

    code = "minimum_amount_required"

    def __init__(self, minimum_tyiyn: int) -> None:
        self.message = f"Минимальная сумма пополнения: {som_text(minimum_tyiyn)} сом"
        super().__init__(("amount", self.message))
        self.details = {**self.details, "minimum_amount": som_number(minimum_tyiyn)}


class AmountTooLarge(InvalidRequest):
    """A top-up above the most that is taken."""

    code = "maximum_amount_exceeded"

    def __init__(self, maximum_tyiyn: int) -> None:
        self.message = f"Максимальная сумма пополнения: {som_text(maximum_tyiyn)} сом"
        super().__init__(("amount", self.message))
        self.details = {**self.details, "maximum_amount": som_number(maximum_tyiyn)}


class ServiceUnavailable(EvPowerError):
    """Something this request needs is away for now; the message in the log says what."""

    code = "service_unavailable"
    message = "Сервис временно недоступен"


class Unauthorized(EvPowerError):
    code = "unauthorized"
    message = "Требуется авторизация"


class InvalidToken(Unauthorized):
    """A bearer token that is not believed; which check failed is in the log alone (contract/roadmap/identity §1)."""


class WrongCode(Unauthorized):
    """Not the digits that were sent; so many tries are left."""

    message = "Неверный код"

    def __init__(self, attempts_left: int) -> None:
        super().__init__(attempts_left=attempts_left)


class CodeExpired(Unauthorized):
    """There is no code that could be right: too old, used, tried too often, or never sent (roadmap/identity §2)."""

    message = "Код недействителен. Запросите новый"

    def __init__(self) -> None:
        super().__init__(reason="code_expired")


class SignedOut(Unauthorized):
    """A refresh token by which no sign-in goes on; `reason`, when there was one, is how it ended."""

    message = "Сеанс завершён. Войдите снова"


class IdempotencyMismatch(EvPowerError):
    code = "invalid_request"
    message = "Idempotency-Key уже использован с другим запросом"


class AlreadyExists(EvPowerError):
    """The message names what is there already; nothing was changed."""

    code = "already_exists"


class Forbidden(EvPowerError):
    code = "forbidden"
    message = "Доступ запрещён"


class TooManyRequests(EvPowerError):
    """More than is allowed; there is room again after so many seconds."""

    code = "rate_limit_exceeded"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Слишком много запросов. Попробуйте через {retry_after_s} секунд", retry_after=retry_after_s)


class TooManyCodes(TooManyRequests):
    """The app reads the wait under its own name (contract/rest-api §7.1)."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.details = {**self.details, "retry_after_seconds": retry_after_s}


class NotFound(EvPowerError):
    code = "not_found"
    message = "Не найдено"


class SessionNotFound(NotFound):
    code = "session_not_found"
    message = "Сессия зарядки не найдена"


class NoSuchActiveSession(SessionNotFound):
    """Nothing to stop; also for a POST a 404, which the app reads (field ruling 6.3)."""

    message = "Активная сессия зарядки не найдена"


class StationNotFound(NotFound):
    code = "station_not_found"
    message = "Станция не найдена"


class LocationNotFound(NotFound):
    """The message names the location; the code is the contract's `not_found`."""


class ClientNotFound(NotFound):
    """Only where an administrator names a client; a driver's own id is always known (contract/rest-api §1.8)."""

    code = "client_not_found"
    message = "Клиент не найден"


class PaymentNotFound(NotFound):
    """Unknown, or another client's: the two are not distinguished (contract/rest-api §5.4)."""

    code = "payment_not_found"
    message = "Платеж не найден"

    def __init__(self) -> None:
        super().__init__(status=0, status_text="processing")


class Refusal(EvPowerError):
    """A business refusal: nothing was changed, and the reason is returned to the driver."""


class InsufficientBalance(Refusal):
    code = "insufficient_balance"

    def __init__(self, balance_tyiyn: int, required_tyiyn: int) -> None:
        self.balance_tyiyn = balance_tyiyn
        super().__init__(
            f"Недостаточно средств. Баланс: {som_text(balance_tyiyn)} сом, требуется: {som_text(required_tyiyn)} сом",
            current_balance=som_number(balance_tyiyn),
            required_amount=som_number(required_tyiyn),
            missing_amount=som_number(required_tyiyn - balance_tyiyn),
        )


class MinimumAmountRequired(Refusal):
    code = "minimum_amount_required"

    def __init__(self, session_fee_tyiyn: int) -> None:
        super().__init__(
            f"Сумма должна быть больше платы за сессию: {som_text(session_fee_tyiyn)} сом",
            required_amount=som_number(session_fee_tyiyn),
            session_fee=som_number(session_fee_tyiyn),
        )


class ClientBlocked(Refusal):
    code = "client_blocked"
    message = "Аккаунт заблокирован"


class ClientDeleted(Refusal):
    code = "client_deleted"
    message = "Аккаунт удалён или неактивен"


class DebtOpen(Refusal):
    """An account with a debt does not end (contract/roadmap/identity §2)."""

    code = "forbidden"

    def __init__(self, debt_tyiyn: int) -> None:
        super().__init__("Сначала погасите задолженность", reason="debt", debt_amount=som_number(debt_tyiyn))


class UnknownStation(Refusal):
    code = "station_not_found"
    message = "Станция не найдена или отключена администратором"


class StationInactive(Refusal):
    code = "station_unavailable"
    message = "Станция недоступна"


class StationUnderMaintenance(Refusal):
    code = "station_maintenance"
    message = "Станция на техническом обслуживании"


class StationOffline(Refusal):
    code = "station_offline"

    def __init__(self, last_heartbeat_at: datetime | None, now: datetime) -> None:
        if last_heartbeat_at is None:
            super().__init__("Станция недоступна (офлайн)")
        else:
            minutes = int((now - last_heartbeat_at).total_seconds() // 60)
            super().__init__(f"Станция недоступна (офлайн {minutes} минут)", last_heartbeat=last_heartbeat_at)


class NoSuchLocation(Refusal):
    """Unknown, or not shown (contract/roadmap/history-favorites-push §2: a 200)."""

    code = "not_found"
    message = "Локация не найдена"


class TooManyFavorites(Refusal):
    code = "invalid_request"
    message = "Слишком много избранных локаций"

    def __init__(self) -> None:
        super().__init__(reason="too_many_favorites")


class TooManyWatches(Refusal):
    code = "invalid_request"
    message = "Слишком много ожидаемых локаций"

    def __init__(self) -> None:
        super().__init__(reason="too_many_watches")


class ConnectorNotFound(Refusal):
    code = "connector_not_found"
    message = "Коннектор не найден"


class ConnectorFaulted(Refusal):
    code = "connector_faulted"
    message = "Коннектор занят или неисправен"


class ConnectorUnavailable(Refusal):
    code = "connector_unavailable"
    message = "Коннектор недоступен"


class ConnectorTaken(EvPowerError):
    """Another session began on the connector meanwhile, and the unit of work is lost; see ConnectorOccupied."""


class ConnectorOccupied(Refusal):
    code = "connector_occupied"
    message = "Коннектор занят или неисправен"


class SessionAlreadyActive(Refusal):
    code = "session_already_active"
    message = "У вас уже есть активная сессия зарядки"


class SessionFailed(Refusal):
    """The station refused the start; the reservation has been returned."""

    code = "session_failed"
    message = "Станция отклонила запуск зарядки. Средства возвращены"


class PaymentPending(Refusal):
    """A top-up or a refund is not finished, and what is asked must wait for it."""

    code = "payment_pending"
    message = "Пополнение или возврат ещё не завершены"


class ProviderFailure(Refusal):
    """A call to a payment provider that did not end in an answer we may use (billing/gateway.py).

    `tls` is why TLS failed, empty when it did not. It is for operators: a phone's answer does not have it.
    """

    def __init__(self, message: str | None = None, *, tls: str = "", **details: Any) -> None:
        self.tls = tls
        super().__init__(message, **details)

    @property
    def last_word(self) -> str:
        """The code, with the reason when TLS failed: for logs, and what is kept of a payment for people to look at."""
        return f"{self.code} ({self.tls})" if self.tls else self.code


class ProviderError(ProviderFailure):
    """The provider refused for good; nothing will be paid by this call."""

    code = "provider_error"
    message = "Платёжная система отклонила запрос"


class ProviderUnavailable(ProviderFailure):
    """Nothing was sent: the provider is switched off, or no connection could be made."""

    code = "provider_unavailable"
    message = "Платёжная система временно недоступна"


class ProviderTimeout(ProviderFailure):
    """The outcome is unknown: it may have happened."""

    code = "provider_timeout"
    message = "Платёжная система не ответила вовремя"


class SmsNotSent(Refusal):
    """The SMS certainly did not leave (roadmap/identity §2: a 200 with `provider_unavailable`)."""

    code = "provider_unavailable"
    message = "Не удалось отправить SMS. Попробуйте позже"


class SmsUnanswered(SmsNotSent):
    """The gateway took the request, and what became of it is not known: the SMS may arrive."""


class PaymentFailed(Refusal):
    """A card payment was declined; `reason` is ours, `provider_code` the provider's own code (design §9.1)."""

    code = "payment_failed"
    message = "Платёж отклонён банком"


class NoSuchPayment(Refusal):
    code = "payment_not_found"
    message = "Платеж не найден"


class PaymentNotProcessing(Refusal):
    code = "payment_not_processing"
    message = "Платёж уже завершён"


class PaymentNotCancellable(Refusal):
    code = "payment_not_cancellable"
    message = "Платёж нельзя отменить"


class TokenNotSupported(Refusal):
    code = "token_not_supported"
    message = "Сохранение карт недоступно"


class DeviceNotFound(Refusal):
    """No device of the caller's (contract/rest-api §7.2)."""

    code = "device_not_found"
    message = "Устройство не найдено"


class NotRefundable(Refusal):
    """Nothing was paid by it, less than that, or a refund of it is under way."""

    code = "not_refundable"
    message = "Возврат невозможен"


class CommandFailure(Refusal):
    """A command to a station that did not end in an answer we may use (duty 39)."""


class ChargerOffline(CommandFailure):
    """Not connected, or the socket dropped before the answer: the station may still have acted."""

    code = "station_offline"
    message = "Станция не подключена"


class ChargerNotReady(CommandFailure):
    """Connected, but not yet to be asked anything: booting, or its boot was not accepted (duties 17, 18)."""

    code = "station_not_ready"
    message = "Станция ещё не готова принимать команды"


class CommandTimedOut(CommandFailure):
    """No answer in time; the station may still act on it."""

    code = "command_timeout"
    message = "Станция не ответила вовремя"


class CommandNotKnown(CommandFailure):
    """The process that has the station is of another version of ours and has no such command; nothing was sent."""

    code = "command_not_known"
    message = "Процесс, к которому подключена станция, не знает этой команды: обновите его"


class CommandRefused(CommandFailure):
    """The station answered CALLERROR; it is in `call_error`, as the station sent it."""

    code = "command_refused"

    def __init__(self, error_code: str, description: str, details: Any) -> None:
        super().__init__(
            f"Станция отклонила команду: {error_code}",
            call_error={"code": error_code, "description": description, "details": details},
        )


class CommandRejected(CommandFailure):
    """The station answered that it does not do it; `status` is its status, `answer` the whole answer."""

    code = "command_rejected"

    def __init__(self, status: str, answer: Mapping[str, Any]) -> None:
        super().__init__(f"Станция не выполнила команду: {status}", status=status, answer=dict(answer))


class UnreadableAnswer(CommandFailure):
    """The station's answer is not what OCPP says it must be; `problems` says where, `answer` is what it sent."""

    code = "invalid_answer"
    message = "Ответ станции не соответствует OCPP"


class NoStationCa(Refusal):
    code = "no_station_ca"
    message = "Центр сертификации станций не создан: evpower ca init"
