"""`keyturn forecast`: what a plain password change would do. With an estate file it needs no server."""

from pathlib import Path
from typing import Any

import click

from keyturn.cli.plan import show_forecast
from keyturn.cli.printing import print_json
from keyturn.cli.tools import Session
from keyturn.lifecycle.forecasting import HORIZON_S, PUBLISH_LAG_S


@click.command()
@click.argument("account")
@click.option("--naive", is_flag=True, help="Forecast a plain password change; else doing nothing.")
@click.option(
    "--estate",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="An estate file, instead of the site's.",
)
@click.option(
    "--publish-lag", default=PUBLISH_LAG_S, show_default=True, help="Seconds until the site has the new password."
)
@click.option("--horizon", default=HORIZON_S, show_default=True, help="How many seconds to look ahead.")
@click.option("--svg", is_flag=True, help="Print the timeline as SVG (with --estate).")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def forecast(
    session: Session,
    account: str,
    naive: bool,
    estate: Path | None,
    publish_lag: float,
    horizon: float,
    svg: bool,
    as_json: bool,
) -> None:
    """When ACCOUNT would lock first, whom to blame, who would be orphaned, who recovers by logon script.

    For what Keyturn itself would do, see the forecast of a plan: keyturn account rotate shows it.
    """
    if estate:
        found = _foresee(estate, account, naive=naive, publish_lag=publish_lag, horizon=horizon, svg=svg)
    elif svg:
        raise click.UsageError("--svg needs --estate; for a plan: keyturn plan show PLAN --svg")
    else:
        question = {"account": account, "naive": naive, "publish_lag_s": publish_lag, "horizon_s": horizon}
        found = session.api().post("/forecasts", question)
    if isinstance(found, str):
        click.echo(found)
    elif as_json:
        print_json(found)
    else:
        click.echo(f"{account}: {'a plain password change' if naive else 'nothing is changed'}")
        show_forecast(found)


def _foresee(
    file: Path, account: str, *, naive: bool, publish_lag: float, horizon: float, svg: bool
) -> dict[str, Any] | str:
    from keyturn.cli.estate import check
    from keyturn.lifecycle.forecasting import foresee_naive, foresee_nothing, scene_of

    estate = check(file, file.read_text(encoding="utf-8"))
    scene = scene_of(estate, estate.managed(account))
    found = (
        foresee_naive(scene, publish_lag_s=publish_lag, horizon_s=horizon)
        if naive
        else foresee_nothing(scene, horizon_s=horizon)
    )
    if svg:
        from keyturn.lockout.timeline import timeline

        return timeline(found, standalone=True)
    return found.summary()
