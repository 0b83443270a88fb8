"""The languages whose values we can say."""

from collections.abc import Mapping

from callcenter.domain.ivr.languages.en import English
from callcenter.domain.ivr.languages.es import Spanish
from callcenter.domain.ivr.languages.fil import Filipino
from callcenter.domain.ivr.languages.fr import French
from callcenter.domain.ivr.languages.grammar import Grammar
from callcenter.domain.ivr.languages.th import Thai
from callcenter.domain.ivr.languages.vi import Vietnamese
from callcenter.domain.ivr.languages.zh import Chinese

GRAMMARS: Mapping[str, Grammar] = {
    grammar.CODE: grammar for grammar in (English(), Spanish(), French(), Chinese(), Vietnamese(), Thai(), Filipino())
}
