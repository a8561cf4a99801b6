"""Names of persons: pairs of prepared names to levels.

What belongs here: which comparison serves which scripts. Preparing names stands
in person_forms, the scripts' own rules in person_han, person_latin and
person_cross. Reading the name out of a cell stands in ``rules.person_name``.

>>> from dedupe.comparing.person_forms import parsed
>>> from dedupe.levels import LEVELS
>>> def name_of(a, b):
...     forms = PersonForms(parsed([a, b]))
...     return LEVELS["person"]["name"][compare(forms, np.array([0]), np.array([1]))[0]].name
>>> name_of("张伟明", "Zhang Weiming"), name_of("张伟", "张玮")
('script', 'confusable')
>>> name_of("William Green", "Bill Green")
'short_form'
"""

import numpy as np

from dedupe.comparing import person_cross, person_han, person_latin
from dedupe.comparing.columns import Levels, Rows
from dedupe.comparing.person_forms import PersonForms
from dedupe.comparing.person_level import UNLIKE, Pairs


def compare(forms: PersonForms, left: Rows, right: Rows) -> Levels:
    """The levels of pairs of names; of a name without letters it is the lowest.

    Args:
        forms: prepared names.
        left, right: rows of forms, one per pair.
    """
    levels = np.full(len(left), UNLIKE, dtype=np.int8)
    told = (forms.key[left] > 0) & (forms.key[right] > 0)
    han_left, han_right = forms.han[left], forms.han[right]
    # In the third comparison the Chinese name comes first.
    a, b = np.where(han_left, left, right), np.where(han_left, right, left)
    for rows, one, other, function in (
        (told & han_left & han_right, left, right, person_han.compare),
        (told & ~han_left & ~han_right, left, right, person_latin.compare),
        (told & (han_left != han_right), a, b, person_cross.compare),
    ):
        if rows.any():
            levels[rows] = function(Pairs(forms, one[rows], other[rows]))
    return levels
