"""Why nobody was signed in (contract/roadmap/identity §2)."""

from __future__ import annotations

from evpower.errors import Refusal, TooManyRequests, Unauthorized


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


class TooManyCodes(TooManyRequests):
    """The app reads the wait under its own name (contract/rest-api §7.1)."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.details = {**self.details, "retry_after_seconds": retry_after_s}


class SmsNotSent(Refusal):
    """The SMS certainly did not leave (roadmap/identity §2: a 200 with `provider_unavailable`)."""

    code = "provider_unavailable"
    message = "Не удалось отправить SMS. Попробуйте позже"


class SmsUnanswered(SmsNotSent):
    """The gateway took the request, and what became of it is not known: the SMS may arrive."""
