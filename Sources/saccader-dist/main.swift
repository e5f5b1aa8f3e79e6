print("saccader")
