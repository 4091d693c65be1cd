"""Conformance of a submitted method: `wsbench check` on the code that its record names."""

import wsbench


def refuse_nonconforming(record: wsbench.Record) -> None:
    """Raise `wsbench.MethodError` unless a record's method is at hand, unchanged, and conforms.

    Parameters
    ----------
    record
        Of a method that did not fail. Its code is found by its spec, from the current folder.
    """
    method = record.content.method
    settings = {name: method.parameters[name] for name in method.settings}
    try:
        with wsbench.open_methods([method.spec], settings) as (one,):
            if one.error:
                raise wsbench.MethodError(one.error.strip().rpartition("\n")[2])
            if is_changed := one.description.code_sha256 != method.code_sha256:
                findings = []
            else:
                findings = wsbench.check_method(one)
    except (wsbench.MethodError, wsbench.UnknownIdError) as error:
        raise wsbench.MethodError(
            f"{record.path.name}: {method.spec} cannot be loaded here, so it cannot be checked"
            f" ({str(error).rstrip('.')}); run wsbench submit where wsbench evaluate loaded it"
        ) from None
    if is_changed:
        raise wsbench.MethodError(
            f"{record.path.name}: the code of {method.spec} has changed since it was evaluated;"
            " evaluate it again and submit the new record"
        )
    failed = [finding for finding in findings if finding.status == "failed"]
    if failed:
        raise wsbench.MethodError(
            f"{record.path.name}: {record.label} fails the check {failed[0].check!r}:"
            f" {failed[0].detail}; mend it until wsbench check {one.description.arguments} passes,"
            " then evaluate it again"
        )
