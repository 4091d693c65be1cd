import ast

import wsbench
from wsbench import tasks


def test_evaluator_digest__changes_with_any_of_the_code_that_computes_scores(tmp_path, monkeypatch):
    source = tasks.files("wsbench")
    before = wsbench.evaluator_digest()
    assert before == wsbench.evaluator_digest()
    for name in tasks._EVALUATOR:
        copy = tmp_path / name
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes((source / name).read_bytes())
    monkeypatch.setattr(tasks, "files", lambda package: tmp_path)
    assert wsbench.evaluator_digest() == before
    for name in tasks._EVALUATOR:
        copy = tmp_path / name
        text = copy.read_bytes()
        copy.write_bytes(text.replace(b"return", b"return ", 1))
        assert wsbench.evaluator_digest() != before, name
        copy.write_bytes(text)


def test_evaluator_digest__covers_every_module_that_scores_go_through():
    """But for seeding, whose bits a test of its own holds, and the list of metrics."""
    source = tasks.files("wsbench")
    imported = set()
    for name in tasks._EVALUATOR:
        for node in ast.walk(ast.parse((source / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("wsbench."):
                imported.add(node.module)
    covered = {f"wsbench.{name[:-3].replace('/', '.')}" for name in tasks._EVALUATOR}
    assert imported - covered == {"wsbench.seeding"}
    metrics = {f"metrics/{path.name}" for path in (source / "metrics").glob("*.py")}
    assert metrics - {"metrics/__init__.py"} <= set(tasks._EVALUATOR)
