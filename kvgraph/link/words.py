"""Words of organisations' names that carry little: legal forms by country, articles and prepositions.

All as :func:`kvgraph.link.names.folded` leaves them: small letters of ASCII, dots gone, single letters that stand together joined
("S.p.A." is "spa", "sp. z o.o." is "sp zoo"). The legal forms are those of the company, association and foundation law of each country;
abbreviations first, then the words where names carry them in full.
"""

# EU authority codes of countries. What is common to several countries stands in each.
LEGAL_FORMS = {
    "AUT": "gmbh mbh ggmbh ag og kg keg ohg eu ev flexco; gmbh co kg; gesellschaft mbh; gesmbh; gemeinnutzige gmbh",
    "BEL": "nv sa bv srl bvba sprl cv cvba scrl scr vzw asbl ivzw aisbl vof snc se; comm v; comm va",
    "BGR": "ood eood ad ead et dzzd kd sd aad",
    "CYP": "ltd plc limited; llc",
    "CZE": "sro as zs ops zu vos ks vvi se sp; spol sro; akciova spolecnost",
    "DEU": "gmbh mbh ggmbh gug ug ag kg ohg kgaa gbr eg ev rv se partg vvag; gmbh co kg; ag co kg; eingetragener verein; gesellschaft mit beschrankter haftung",
    "DNK": "as aps is ks ps amba fmba ivs smba; smv",
    "ESP": "sa sl slu sau sll sal slp sc scoop sad aie ute; sociedad limitada; sociedad anonima; s coop; sa mp; mp sa; mp",
    "EST": "ou as mtu sa tu uu; sihtasutus; mittetulundusuhing; osauhing",
    "FIN": "oy oyj ry rs ay ky osk sr ab abp rf; oy ab",
    "FRA": "sa sas sasu sarl eurl snc sci scop scic gie gip selarl scp epic epa epst fup; societe anonyme; loi 1901",
    "GRC": "ae epe ike oe ee amke sa ltd mon ike; monoprosopi ike; anonymi etaireia",
    "HRV": "doo dd jdoo jtd kd obrt",
    "HUN": "kft zrt nyrt rt bt kkt kht nkft; nonprofit kft; nonprofit zrt; korlatolt felelossegu tarsasag; nonprofit korlatolt felelossegu tarsasag",
    "IRL": "ltd limited plc dac clg uc ulc teo teoranta cpt lp",
    "ITA": "spa srl srls sapa snc sas scarl scpa scrl scs onlus ets aps odv srlu; soc coop; societa consortile; societa cooperativa; a rl; s cons arl; sc arl; societa per azioni",
    "LTU": "uab ab vsi mb ii tub kub; uzdaroji akcine bendrove; viesoji istaiga",
    "LUX": "sa sarl sasl scsp sca asbl se secs gie",
    "LVA": "sia as ik ps ks; biedriba; nodibinajums; sabiedriba ar ierobezotu atbildibu",
    "MLT": "ltd plc limited; co ltd",
    "NLD": "bv nv vof cv ua ba; cooperatie ua; bv io",
    "POL": "sa sk sj ska spk psa; sp zoo; spolka zoo; sp zoo sk; spolka akcyjna; spolka z ograniczona odpowiedzialnoscia",
    "PRT": "sa lda sgps crl epe ei ipl aceg ace; unipessoal lda; limitada; sociedade anonima; sociedade unipessoal",
    "ROU": "sa srl snc scs sca ra ong pfa; srl d",
    "SVK": "sro as no oz vos ks sp; spol sro; akciova spolocnost",
    "SVN": "doo dd dno kd sp zoo so pi; dno",
    "SWE": "ab hb kb ek; ek for; ideell forening; aktiebolag; ab publ",
    "CHE": "ag gmbh sa sarl sagl gmbh",
    "GBR": "ltd limited plc llp lp cic cio; uk ltd; company limited by guarantee",
    "NOR": "as asa ans da ks sf",
    "TUR": "as ltd; ltd sti; anonim sirketi",
    "USA": "inc llc corp co; co ltd; incorporated; corporation",
}

# Legal forms that stand before a name; elsewhere at its beginning these are words ("SE University").
LEADING_FORMS = "uab sia vsi ab oy as ou mtu sihtasutus biedriba nodibinajums asbl vzw aisbl sc sas sarl gie gip ood eood ad ead"

# Registers write the country behind the name of a firm, in brackets.
COUNTRY_NAMES = (
    "Albania", "Austria", "Belgium", "Bosnia and Herzegovina", "Bulgaria", "Croatia", "Cyprus", "Czechia", "Czech Republic", "Denmark", "Estonia", "Finland",
    "France", "Georgia", "Germany", "Greece", "Hungary", "Iceland", "Ireland", "Israel", "Italy", "Kosovo", "Latvia", "Liechtenstein", "Lithuania",
    "Luxembourg", "Malta", "Moldova", "Monaco", "Montenegro", "North Macedonia", "Netherlands", "The Netherlands", "Norway", "Poland", "Portugal", "Romania",
    "Serbia", "Slovakia", "Slovenia", "Spain", "Sweden", "Switzerland", "Türkiye", "Turkey", "Ukraine", "United Kingdom", "UK", "United States",
)  # fmt: skip

# What is called after a country, by the country: "Austrian Institute" is "Institut Österreich".
NATIONS = dict(
    pair.split("=") for pair in (
        "austrian=austria belgian=belgium bulgarian=bulgaria croatian=croatia cypriot=cyprus czech=czechia danish=denmark dutch=netherlands estonian=estonia "
        "finnish=finland french=france german=germany greek=greece hellenic=greece hungarian=hungary irish=ireland italian=italy latvian=latvia "
        "lithuanian=lithuania maltese=malta polish=poland portuguese=portugal romanian=romania slovak=slovakia slovenian=slovenia slovene=slovenia "
        "spanish=spain swedish=sweden norwegian=norway swiss=switzerland british=britain turkish=turkey turkiye=turkey ukrainian=ukraine serbian=serbia "
        "icelandic=iceland albanian=albania bosnian=bosnia georgian=georgia moldovan=moldova montenegrin=montenegro macedonian=macedonia luxembourgish=luxembourg"
    ).split()
)  # fmt: skip

# Articles, prepositions and conjunctions of the EU's languages, transliterated.
LITTLE_WORDS = frozenset(
    "a an the of for and in on at to by with from de la le les du des d l et aux au en sur pour par di del della dell dello dei degli delle dall dal e ed il "
    "lo gli i nell nella per da do dos das o os as em na no nas nos para por y el los las al van der den het een voor te ter und fur die das dem im "
    "am an zur zum von vom mit och for till av ett og til ved det pri v ve pro u za ze se z w we oraz dla do a az es ir un ja na po pri o i si pentru cu "
    "din lui ale al st tis tou tin tou kai ton gia sti sto stin tes ta ti kai kaj ot za s k iz pri".split()
) - {"st"}  # fmt: skip


def forms() -> tuple[frozenset[tuple[str, ...]], frozenset[str]]:
    """All legal forms as tuples of tokens, and those that may stand first.

    >>> ("sp", "zoo") in forms()[0] and ("gmbh",) in forms()[0]
    True
    """
    every = set()
    for line in LEGAL_FORMS.values():
        short, *phrases = line.split(";")
        every |= {(word,) for word in short.split()} | {tuple(phrase.split()) for phrase in phrases}
    return frozenset(every), frozenset(LEADING_FORMS.split())
