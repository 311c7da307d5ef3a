"""What real chargers put into a meterValue, and what is made of it (duties 29, 32; contract/ocpp-behaviour §5.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evpower.metering.meter_value import DEFAULT_MEASURAND, MAX_ENERGY_WH, Sample, read_sample, read_samples

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
# fmt: off
NO_REGISTERS = [
    "12,5", "1,234", "-1", "-0.5", "NaN", "sNaN", "Infinity", "-Infinity", "", " ", "12 kWh", "0x10", "1e13",
    "9e999999", "1_000", "١٢٣", "1" * 41,
]
# fmt: on
POWER, CURRENT, VOLTAGE, TEMPERATURE = "Power.Active.Import", "Current.Import", "Voltage", "Temperature"


class V(NamedTuple):
    """One sampledValue; a register unless it says otherwise."""

    value: str
    measurand: str | None = None
    unit: str | None = None
    phase: str | None = None
    location: str | None = None
    format: str | None = None


def read(*values: V) -> Sample:
    return read_sample(NOON, values)


def skipped(*values: V) -> list[str]:
    said: list[str] = []
    read_sample(NOON, values, said.append)
    return said


def phases(*numbers: str, kind: str = "L{}", measurand: str = DEFAULT_MEASURAND) -> tuple[V, ...]:
    return tuple(V(number, measurand, phase=kind.format(n)) for n, number in enumerate(numbers, 1))


# ---------------------------------------------------------------------------------------------------------- numbers
@pytest.mark.parametrize(
    ("sampled", "energy_wh"),
    [
        (V("1234"), 1234),
        (V("12345.678", unit="Wh"), 12346),
        (V("12345.5", unit="Wh"), 12346),
        (V(" 12345 "), 12345),
        (V("1.5e3"), 1500),
        (V("12.345", unit="kWh"), 12345),
        (V("12.3456", unit="kWh"), 12346),
        (V("0.0", unit="kWh"), 0),
        (V("1234", measurand="", unit="", phase="", location="", format=""), 1234),
    ],
)
def test_duty_32_a_register_becomes_whole_wh_rounded_half_up(sampled: V, energy_wh: int) -> None:
    assert read(sampled).energy_wh == energy_wh


@pytest.mark.parametrize(
    "value",
    NO_REGISTERS,
)
@pytest.mark.parametrize("unit", [None, "Wh", "kWh"])
def test_what_is_no_register_is_skipped_and_said(value: str, unit: str | None) -> None:
    """A comma is a decimal point to one charger and groups thousands to another: such a factor is not guessed."""
    assert read(V(value, unit=unit), V("230", VOLTAGE)) == Sample(NOON, voltage_v=230)
    assert skipped(V(value, unit=unit)) == ["Energy.Active.Import.Register: not a number of this kind"]


def test_a_register_in_an_unknown_unit_is_not_guessed() -> None:
    assert read(V("12", unit="MWh")).energy_wh is None
    assert skipped(V("12", unit="MWh")) == ["Energy.Active.Import.Register: in another unit"]


def test_kwh_and_wh_of_one_message_are_the_same_register() -> None:
    assert read(V("12.3", unit="kWh"), V("12345", unit="Wh")).energy_wh == 12345
    assert read(V("12345", unit="Wh"), V("12.3", unit="kWh")).energy_wh == 12345


def test_the_registers_of_begin_and_end_in_one_list_give_the_end() -> None:
    """Contexts Transaction.Begin and Transaction.End in any order: registers only rise."""
    assert read(V("9000"), V("1000")).energy_wh == 9000


@pytest.mark.parametrize(
    ("sampled", "expected"),
    [
        (V("11.5", POWER, "kW"), Sample(NOON, power_w=11_500)),
        (V("11500", POWER, "W"), Sample(NOON, power_w=11_500)),
        (V("11500", POWER), Sample(NOON, power_w=11_500)),
        (V("81", "SoC", "Percent", location="EV"), Sample(NOON, soc_percent=81)),
        (V("81", "SoC"), Sample(NOON, soc_percent=81)),
        (V("25", TEMPERATURE, "Celsius", location="Body"), Sample(NOON, temperature_c=25)),
        (V("25", TEMPERATURE, "Celcius"), Sample(NOON, temperature_c=25)),
        (V("298.15", TEMPERATURE, "K"), Sample(NOON, temperature_c=25)),
        (V("77", TEMPERATURE, "Fahrenheit"), Sample(NOON, temperature_c=25)),
    ],
)
def test_other_quantities_are_read_in_their_units(sampled: V, expected: Sample) -> None:
    assert read(sampled) == expected


def test_power_in_a_unit_of_energy_is_not_read() -> None:
    assert read(V("11", POWER, "kWh")) == Sample(NOON)


# ----------------------------------------------------------------------------------------------------------- phases
@pytest.mark.parametrize("kind", ["L{}", "L{}-N"])
def test_the_registers_of_all_three_phases_are_the_register_when_there_is_no_total(kind: str) -> None:
    assert read(*phases("100.4", "200.4", "300.4", kind=kind)).energy_wh == 601


def test_phases_beside_a_total_are_ignored() -> None:
    assert read(*phases("1", "2", "3"), V("5000"), *phases("1", "2", "3", kind="L{}-N")).energy_wh == 5000


def test_the_same_energy_in_both_spellings_of_its_phases_counts_once() -> None:
    assert read(*phases("100", "200", "300"), *phases("100", "200", "300", kind="L{}-N")).energy_wh == 600


@pytest.mark.parametrize(
    "values",
    [
        phases("100"),
        phases("100", "200"),
        (V("100", phase="L1"), V("200", phase="L2"), V("300", phase="L3-N")),
        (V("100", phase="L1-L2"), V("200", phase="L2-L3"), V("300", phase="L3-L1")),
        (V("100", phase="N"),),
        (*phases("100", "200"), V("rubbish", phase="L3")),
    ],
    ids=lambda values: " ".join(f"{value.phase}" for value in values),
)
def test_some_phases_are_no_register(values: tuple[V, ...]) -> None:
    assert read(*values).energy_wh is None
    assert skipped(*values)[-1] == "Energy.Active.Import.Register: some phases without a total"


def whole(*meter_values: tuple[V, ...], minutes: int = 1) -> list[int | None]:
    """The registers that are read from a message, whose meterValues are `minutes` apart."""
    timed = [(NOON + timedelta(minutes=minutes * n), values) for n, values in enumerate(meter_values)]
    return [sample.energy_wh for sample in read_samples(timed, lambda _: None)]


@pytest.mark.parametrize("phase", ["L1", "L2", "L3", "L1-N", "L2-N", "L3-N"])
@pytest.mark.parametrize("location", [None, "Outlet", "Body"])
def test_the_only_phase_of_a_message_without_a_total_is_the_total(phase: str, location: str | None) -> None:
    """Field ruling 3.4: a single-phase charger marks its one register L1."""
    one = V("100", phase=phase, location=location)
    assert whole((one,), (V("200", phase=phase), V("7", POWER, phase="L2"))) == [100, 200]


@pytest.mark.parametrize(
    "values",
    [
        (V("100", phase="L1"), V("200", phase="L2")),
        (V("100", phase="L1-L2"),),
        (V("100", phase="N"),),
        (V("100", phase="L1"), V("rubbish", phase="L2")),
        (V("100", location="Inlet"),),
        (V("100", location="EV", phase="L1"),),
        (V("100", phase="L1", format="SignedData"),),
    ],
    ids=str,
)
def test_no_total_is_made_of_some_phases_or_of_the_grid_or_the_car(values: tuple[V, ...]) -> None:
    assert whole(values) == [None]


def test_a_total_anywhere_in_the_message_leaves_its_phases_and_its_cabinet_unread() -> None:
    total, phase, cabinet = (V("900"),), (V("1000", phase="L1"),), (V("1000", location="Body"),)
    assert whole(total, phase, cabinet) == [900, None, None]
    assert whole((*phase, *cabinet), total) == [None, 900]
    assert whole(cabinet) == [1000]


def test_phases_of_one_time_in_meter_values_of_their_own_are_summed_and_two_of_them_are_not() -> None:
    by_themselves = [(value,) for value in phases("100", "200", "300")]
    assert whole(*by_themselves, minutes=0) == [600]
    assert whole(*by_themselves[:2], minutes=0) == [None]
    assert whole(*by_themselves, minutes=1) == [None, None, None]


def test_power_at_the_cabinet_counts_with_its_register() -> None:
    (sample,) = read_samples([(NOON, (V("9", location="Body"), V("7", POWER, location="Body")))], lambda _: None)
    assert (sample.energy_wh, sample.power_w) == (9, 7)


def test_what_is_not_read_of_a_message_is_said_once() -> None:
    said: list[str] = []
    read_samples([(NOON, phases("100", "200")), (NOON, (V("1", location="EV"),))], said.append)
    assert said == [
        f"{DEFAULT_MEASURAND}: not measured at the outlet",
        f"{DEFAULT_MEASURAND}: some phases without a total",
    ]


def test_a_total_that_is_nonsense_leaves_the_phases() -> None:
    assert read(V("rubbish"), *phases("1", "2", "3")).energy_wh == 6


def test_the_power_of_the_phases_adds_up_also_of_those_that_charge_alone() -> None:
    assert read(*phases("1000", "2000", "3000", measurand=POWER)).power_w == 6000
    assert read(*phases("3600", measurand=POWER)).power_w == 3600
    assert read(*phases("1", "2", "3", measurand=POWER), *phases("1", "2", "3", kind="L{}-N", measurand=POWER)) == (
        Sample(NOON, power_w=6)
    )


def test_the_highest_current_and_voltage_of_the_phases_are_shown_and_never_the_neutral() -> None:
    current = (*phases("16", "0", "10", measurand=CURRENT), V("20", CURRENT, phase="N"))
    assert read(*current, *phases("229", "231", "230", kind="L{}-N", measurand=VOLTAGE)) == (
        Sample(NOON, current_a=16, voltage_v=231)
    )


# -------------------------------------------------------------------------------------------- whose register it is
words = st.sampled_from([None, "", "L1", "L2", "L3", "L1-N", "N", "EV", "Outlet", "Wh", "kWh", "kW", "K", "Fahrenheit"])
numbers = st.text("0123456789.,-+eE_ NaInfty", max_size=12) | st.text(max_size=50) | st.floats().map(str)
measurands = st.sampled_from([None, DEFAULT_MEASURAND, POWER, CURRENT, VOLTAGE, TEMPERATURE, "SoC"])


@given(st.lists(st.builds(V, numbers, measurands, words, words, words, st.sampled_from([None, "SignedData"]))))
def test_whatever_a_charger_writes_is_a_sample_with_a_register_that_can_be(values: list[V]) -> None:
    energy_wh = read(*values).energy_wh
    assert energy_wh is None or 0 <= energy_wh <= 3 * MAX_ENERGY_WH


@pytest.mark.parametrize("location", [None, "Outlet", "Cable"])
def test_the_register_at_the_outlet_is_the_drivers(location: str | None) -> None:
    assert read(V("1000", location=location)).energy_wh == 1000


@pytest.mark.parametrize("location", ["EV", "Inlet", "Body"])
def test_the_register_of_the_car_the_grid_or_the_cabinet_never_is(location: str) -> None:
    elsewhere = V("999999", location=location)
    assert read(elsewhere, V("1000", location="Outlet")).energy_wh == 1000
    assert read(V("1000"), elsewhere).energy_wh == 1000
    assert read(elsewhere).energy_wh is None
    assert skipped(elsewhere) == ["Energy.Active.Import.Register: not measured at the outlet"]


def test_power_current_and_voltage_of_the_grid_side_are_not_the_charges() -> None:
    """A direct-current charger reports 400 V of the grid beside the 780 V at its plug."""
    grid = (
        V("50000", POWER, location="Inlet"),
        V("80", CURRENT, location="Inlet"),
        V("400", VOLTAGE, location="Inlet"),
    )
    plug = (V("45000", POWER), V("58", CURRENT), V("780", VOLTAGE))
    assert read(*plug, *grid) == Sample(NOON, power_w=45_000, current_a=58, voltage_v=780)


@pytest.mark.parametrize(
    "measurand",
    [
        "Energy.Active.Export.Register",
        "Energy.Active.Import.Interval",
        "Energy.Active.Export.Interval",
        "Energy.Reactive.Import.Register",
        "Power.Active.Export",
        "Power.Offered",
        "Vendor.Own",
    ],
)
def test_other_measurands_are_never_the_register_and_nothing_to_complain_of(measurand: str) -> None:
    """An interval is energy since the last sample: added up, a repeated message would be billed twice."""
    assert read(V("5000", measurand)) == Sample(NOON)
    assert skipped(V("5000", measurand)) == []


def test_duty_29_signed_data_is_never_a_number_whatever_it_looks_like() -> None:
    for value in ("5000", "OCMF|" + "A" * 10_000):
        assert read(V(value, format="SignedData"), V("1000")).energy_wh == 1000
        assert read(V(value, format="SignedData")).energy_wh is None
        assert skipped(V(value, format="SignedData")) == []
