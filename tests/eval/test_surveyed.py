import numpy as np

from eval.score_table import read_score_table
from eval.slice_values import Cut
from eval.slices import Slicing
from eval.surveyed import SurveyPart


def test_what_is_known_of_parts_adds_up(make_scores):
    table = read_score_table(make_scores(), ["a"], ["category", "tags"])
    survey = SurveyPart([Slicing("category", (Cut("category"),)), Slicing("tags", (Cut("tags"),))], {})
    half = np.arange(len(table.lists)) < 50
    whole, apart = survey(table), survey(table.select(half)) + survey(table.select(~half))
    assert vars(apart.survey) == vars(whole.survey)
    assert [one.lists for one in apart.frequencies] == [one.lists for one in whole.frequencies]
    assert [one.single for one in apart.frequencies] == [one.single for one in whole.frequencies] == [True, False]
