"""The public names, grouped by purpose, each with the module that it is imported from on first use."""

__version__: str
__all__: list[str]

# what an analyst writes
from .case.folder import load_case as load_case
from .case.folder import new_case as new_case
from .case.reader.schema import question_schema as question_schema
from .run import check as check
from .case.folder import Case as Case
from .case.question import Question as Question
from .case.evidence import Evidence as Evidence
from .case.evidence import Report as Report
from .case.judgement import Proportions as Proportions
from .case.judgement import Positive as Positive
from .case.judgement import MeasureMean as MeasureMean

# what is wrong with it
from .case.errors import InputError as InputError
from .case.errors import Fault as Fault

# the forecast
from .inference.engine import update as update

# the same model for PyMC
from .inference.nuts.model import to_pymc as to_pymc
from .inference.nuts.model import pymc_data as pymc_data

# how far to trust it
from .analysis.review import review as review
from .report.text.tables import review_lines as review_lines
from .analysis.review import Check as Check
from .inference.conflict import conflict as conflict
from .analysis.confidence import confidence as confidence
from .analysis.cross_checks import referee as referee
from .analysis.cross_checks import learning as learning
from .analysis.leave_future_out import compare_questions as compare_questions
from .analysis.leave_future_out import future_score as future_score
from .analysis.leave_future_out import lfo_wrapper as lfo_wrapper

# why it is so, what changed, what would change it
from .analysis.weight_of_evidence import explain as explain
from .report.text.explanation import explain_lines as explain_lines
from .run import changed_since_issue as changed_since_issue
from .report.text.explanation import changed_lines as changed_lines
from .analysis.whatif import whatif as whatif
from .analysis.collect import collect as collect
from .analysis.sensitivity.sensitivity import sensitivity as sensitivity
from .report.text.sensitivity import sensitivity_lines as sensitivity_lines
from .analysis.plug_in import quick as quick
from .report.panel import whatif_panel as whatif_panel

# the weekly run
from .run import weekly as weekly
from .run import weekly_many as weekly_many
from .run import brief as brief

# the record
from .record.issue import issue as issue
from .record.ledger import read_ledger as read_ledger

# what the reader sees
from .report.summary import summarise as summarise
from .run import gather as gather
from .report.brief.markdown import brief_markdown as brief_markdown
from .report.brief.write import brief_html as brief_html
from .report.plots.trend import plot_trend as plot_trend
from .report.plots.trend import plot_area as plot_area
from .report.plots.small_multiples import plot_hindsight as plot_hindsight
from .report.plots.small_multiples import plot_outlook as plot_outlook
from .report.plots.waterfall import plot_evidence as plot_evidence
from .report.plots.evidence_map import plot_evidence_map as plot_evidence_map
from .report.plots.waterfall import plot_changed as plot_changed
from .report.plots.waterfall import plot_collect as plot_collect
from .report.plots.judgements import plot_judgements as plot_judgements
from .report.plots.calibration import plot_calibration as plot_calibration
