"""The example report: its chart and its table say the same, and fit the picture."""

from saas.dashboard.reports import CHART_HEIGHT, CHART_WIDTH, LABEL_SPACE, example_report


def test_bars_fit_the_picture_in_order() -> None:
    bars = example_report().bars
    assert all(bar.x >= 0 and bar.x + bar.width <= CHART_WIDTH for bar in bars)
    assert all(bar.y > 0 and bar.y + bar.height <= CHART_HEIGHT - LABEL_SPACE + 0.1 for bar in bars)
    assert [bar.x for bar in bars] == sorted(bar.x for bar in bars)
    assert all(bar.x < bar.middle < bar.x + bar.width for bar in bars)


def test_table_is_the_chart_read_backwards() -> None:
    report = example_report()
    assert [row.revenue for row in report.rows] == [bar.value for bar in reversed(report.bars)]


def test_change_is_against_the_month_before() -> None:
    changes = {row.month: row.change for row in example_report().rows}
    assert changes["June"] == "+11.3%"
    assert changes["August"] == "−1.0%"
    assert changes["May"] == ""


def test_chart_is_also_there_in_words() -> None:
    words = example_report().chart_words
    assert "$8,124 in May" in words
    assert "$12,469 in October" in words
