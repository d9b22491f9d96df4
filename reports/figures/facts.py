"""What the facts of products are called: source materials and routes, as `monitor/knowledge/products/` names them."""

from __future__ import annotations

from collections.abc import Mapping

from reports.languages import phrase

FACTS: Mapping[str, str] = {
    "": phrase("unstated"),
    "umbilical_cord": phrase("umbilical cord"),
    "whartons_jelly": phrase("Wharton's jelly"),
    "cord_blood": phrase("cord blood"),
    "placenta": phrase("placenta"),
    "amnion": phrase("amnion"),
    "adipose": phrase("fat tissue"),
    "bone_marrow": phrase("bone marrow"),
    "platelets": phrase("platelets or plasma"),
    "skin_cells": phrase("skin or hair follicle cells"),
    "dental_pulp": phrase("dental pulp"),
    "autologous": phrase("the patient's own"),
    "human": phrase("human"),
    "animal_salmon": phrase("salmon"),
    "animal_milk": phrase("milk"),
    "animal_bovine": phrase("cattle"),
    "animal_porcine": phrase("pig"),
    "animal_ovine": phrase("sheep"),
    "animal_equine": phrase("horse"),
    "animal_other": phrase("other animal"),
    "plant_rose": phrase("rose"),
    "plant_centella": phrase("centella"),
    "plant_ginseng": phrase("ginseng"),
    "plant_other": phrase("other plant"),
    "plant": phrase("plant"),
    "bacteria": phrase("microbes"),
    "pdrn": phrase("PDRN"),
    "synthetic": phrase("synthetic"),
    "topical": phrase("on the skin"),
    "microneedling": phrase("microneedling"),
    "laser_assisted": phrase("after laser or the like"),
    "electroporation": phrase("by electric current or ultrasound"),
    "injection": phrase("injected"),
    "injection_skin": phrase("injected into the skin"),
    "injection_scalp": phrase("injected into the scalp"),
    "injection_joint": phrase("injected into a joint"),
    "injection_spine": phrase("injected at the spine"),
    "intravenous": phrase("into a vein"),
    "intranasal": phrase("into the nose"),
    "inhaled": phrase("inhaled"),
    "ophthalmic": phrase("into the eye"),
    "oral": phrase("swallowed"),
    "intimate": phrase("intimate use"),
}
